// How the tests of checks ask: an `expect` entry as text, a history by hand, what was judged.
#pragma once

#include <gtest/gtest.h>

#include "harness/checks/check.h"
#include "tests/harness/history_builder.h"

namespace breakwire::checks {

using history::HistoryBuilder;
using history::Phase;
using history::Relation;
using history::t0;

/// The check an entry describes. Keys that belong to the scenario are read here as it would: `after`,
/// `during` and `min_samples`.
inline CheckSpec spec_of(const std::string& entry) {
  auto parsed = json::parse(entry, "entry");
  if (!parsed) throw std::runtime_error(render(parsed.errors()));
  CheckSpec spec;
  spec.kind = spec.name = parsed->find("check")->text;
  if (const auto* fault = parsed->find("after")) spec.window = {Relation::after, {fault->text}, ""};
  if (const auto* fault = parsed->find("during")) spec.window = {Relation::during, {fault->text}, ""};
  if (const auto* least = parsed->find("min_samples"))
    spec.min_samples = static_cast<uint64_t>(least->number);
  ErrorList errors;
  const CheckKind* kind = find_check_kind(spec.kind);
  if (kind == nullptr) throw std::runtime_error("no check " + spec.kind);
  spec.check = kind->make(*parsed, {"check", "after", "during", "min_samples"}, errors);
  if (!spec.check) throw std::runtime_error(render(errors));
  return spec;
}

inline CheckResult judged(const std::string& entry, const history::History& history) {
  return judge(spec_of(entry), history, history::Calls(history)).result;
}

/// The errors of an entry that must not be accepted.
inline std::string errors_of(const std::string& entry) {
  try {
    spec_of(entry);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

inline std::vector<uint64_t> numbers(const CheckResult& result) {
  std::vector<uint64_t> all;
  for (const EventNumber event : result.evidence) all.push_back(event.value);
  return all;
}
using Evidence = std::vector<uint64_t>;

#define EXPECT_PASSED(result)                                                        \
  do {                                                                               \
    const CheckResult seen = (result);                                               \
    EXPECT_EQ(seen.verdict, Verdict::passed) << seen.actual << " | " << seen.reason; \
    EXPECT_TRUE(seen.evidence.empty());                                              \
    EXPECT_GT(seen.samples, 0u);                                                     \
  } while (false)

}  // namespace breakwire::checks
