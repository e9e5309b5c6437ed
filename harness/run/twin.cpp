#include "harness/run/twin.h"

#include <algorithm>
#include <set>

namespace breakwire::run {
namespace {

std::string with_comma(const std::string& list, const std::string& item) {
  return list.empty() ? item : list + ", " + item;
}

}  // namespace

void turn_round(const scenario::Twin& twin, const std::string& doubt, ScenarioResult& result) {
  std::set<std::string> failed;
  std::string undecided, beside;
  for (const auto& check : result.checks) {
    if (check.result.verdict == Verdict::failed) failed.insert(check.name);
    if (check.result.verdict != Verdict::inconclusive) continue;
    const std::string one = "`" + check.name + "` (" + check.result.reason + ")";
    auto& list = twin.fails.contains(check.name) ? undecided : beside;
    list = with_comma(list, one);
  }
  result.twin = TwinResult{twin.name, {twin.fails.begin(), twin.fails.end()}, {failed.begin(), failed.end()}};
  if (!beside.empty()) result.notes.push_back("inconclusive beside them: " + beside);
  if (result.verdict == Verdict::error) return;
  if (!doubt.empty()) {
    result.verdict = Verdict::inconclusive;
    result.reason = doubt;
    return;
  }
  std::string missing, extra;
  for (const auto& name : twin.fails) {
    const bool open = std::any_of(result.checks.begin(), result.checks.end(), [&](const auto& check) {
      return check.name == name && check.result.verdict == Verdict::inconclusive;
    });
    if (!failed.contains(name) && !open) missing = with_comma(missing, "`" + name + "` did not fail");
  }
  for (const auto& name : failed) {
    if (!twin.fails.contains(name)) extra = with_comma(extra, "`" + name + "` failed too");
  }
  const std::string must = "the twin `" + twin.name + "` must turn exactly the named checks red: ";
  if (!missing.empty() || !extra.empty()) {
    result.verdict = Verdict::failed;
    result.reason = must + missing + (missing.empty() || extra.empty() ? "" : "; ") + extra;
  } else if (!undecided.empty()) {
    result.verdict = Verdict::inconclusive;
    result.reason = must + "inconclusive is " + undecided;
  } else {
    result.verdict = Verdict::passed;
    result.reason.clear();
  }
}

}  // namespace breakwire::run
