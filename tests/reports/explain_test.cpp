// `list`, `explain` and the pages of docs/, all from the descriptions of kinds.
#include "reports/explain.h"

#include <gtest/gtest.h>

#include "tests/reports/golden.h"

namespace breakwire::reports {
namespace {

/// A kind that exists nowhere, so that the golden file changes with the way of telling only.
faults::FaultKind sample_fault() {
  faults::FaultKind kind;
  kind.name = "drizzle";
  kind.summary = "Lets through one drop at a time.";
  kind.details =
      "First paragraph, which is long enough that it has to be broken into two lines of the terminal to be "
      "read.\nSecond paragraph.";
  kind.example = R"({ "id": "d", "at": "1s", "on": "a->b", "fault": "drizzle", "with": { "drops": 3 } })";
  kind.fault_class = faults::FaultClass::transport;
  kind.lifetime = faults::Lifetime::optional_span;
  kind.matches_by = {"direction"};
  kind.fidelity = "wire";
  kind.parameters = {
      {.name = "drops",
       .type = "count",
       .required = true,
       .default_text = {},
       .doc = "How many.",
       .schema = {}},
      {.name = "gap",
       .type = "duration",
       .default_text = "100ms",
       .doc = "Between two: a | b.",
       .schema = {}},
      {.name = "until", .type = "duration", .default_text = {}, .doc = "At most so long.", .schema = {}}};
  return kind;
}
checks::CheckKind sample_check() {
  checks::CheckKind kind;
  kind.name = "dry";
  kind.summary = "Nothing is wet.";
  kind.details = "Judged from the floor.";
  kind.example = R"({ "check": "dry" })";
  kind.universal = true;
  return kind;
}

TEST(ExplainTest, AFaultIsExplainedWhole) { expect_golden("explain_fault.txt", explain(sample_fault())); }
TEST(ExplainTest, ACheckIsExplainedWhole) { expect_golden("explain_check.txt", explain(sample_check())); }

TEST(ExplainTest, EveryKindIsListedOnALineOfItsOwnWithItsSummary) {
  const auto expect_all = [](const std::string& list, const auto& kinds) {
    EXPECT_EQ(size_t(std::count(list.begin(), list.end(), '\n')), kinds.size());
    for (const auto& kind : kinds) {
      EXPECT_NE(("\n" + list).find("\n" + kind.name + " "), std::string::npos) << kind.name;
      EXPECT_NE(list.find("  " + kind.summary + "\n"), std::string::npos) << kind.name;
    }
  };
  EXPECT_GE(faults::fault_kinds().size(), 12u);
  EXPECT_GE(checks::check_kinds().size(), 10u);
  expect_all(list_of_faults(), faults::fault_kinds());
  expect_all(list_of_checks(), checks::check_kinds());
}

TEST(ExplainTest, ThePageOfFaultsListsEachKindAndSaysWhereItActs) {
  const std::string page = faults_markdown();
  for (const auto& kind : faults::fault_kinds()) {
    EXPECT_NE(page.find("| [`" + kind.name + "`](#" + kind.name + ") | " + kind.summary + " |\n"),
              std::string::npos)
        << kind.name;
  }
  EXPECT_NE(page.find("It takes a `match` by `direction`, `connections` (left out: `all`).\n"),
            std::string::npos);
  EXPECT_NE(page.find("`stage` (`response_headers`, `headers`; left out: `response_headers`).\n"),
            std::string::npos)
      << "stream_bandwidth";
  EXPECT_NE(page.find("It takes no `match`.\n"), std::string::npos);
}

// What the page says of overlapping faults names every kind that is not simply the first to answer; the
// rules themselves are tested in tests/faults/fault_set_overlap_test.cpp.
TEST(ExplainTest, ThePageOfFaultsNamesWhoseAnswersGoTogether) {
  const std::string page = faults_markdown();
  const size_t begin = page.find("## Faults that overlap");
  const std::string rules = page.substr(begin, page.find("\n## ", begin + 1) - begin);
  for (const char* kind : {"latency", "grpc_delay", "bandwidth", "slice", "stream_bandwidth", "corrupt",
                           "metadata", "missing_trailers", "settings", "blackhole", "half_open", "pause",
                           "starve_cpu", "limit", "signal", "kill", "restart"}) {
    EXPECT_NE(rules.find(std::string("`") + kind + "`"), std::string::npos) << kind;
  }
}

TEST(ExplainTest, EveryKindIsDocumentedInEverything) {
  for (const auto& kind : faults::fault_kinds()) {
    EXPECT_FALSE(kind.summary.empty() || kind.details.empty() || kind.example.empty()) << kind.name;
    EXPECT_TRUE(json::parse(kind.example, "example").ok()) << kind.name;
    EXPECT_NE(faults_markdown().find("\n## `" + kind.name + "`\n"), std::string::npos) << kind.name;
    for (const auto& field : kind.parameters)
      EXPECT_NE(explain(kind).find("  " + field.name + "  ("), std::string::npos)
          << kind.name << "." << field.name;
  }
  for (const auto& kind : checks::check_kinds()) {
    EXPECT_FALSE(kind.summary.empty() || kind.details.empty() || kind.example.empty()) << kind.name;
    EXPECT_TRUE(json::parse(kind.example, "example").ok()) << kind.name;
    EXPECT_NE(checks_markdown().find("\n## `" + kind.name + "`\n"), std::string::npos) << kind.name;
  }
}

// The committed pages are what the program says.

TEST(DocsTest, FaultsMdIsWhatTheDescriptionsSay) {
  EXPECT_EQ(text_of(BREAKWIRE_SOURCE_DIR "/docs/faults.md"), faults_markdown())
      << "rewrite it: build/dev/bin/breakwire docs faults > docs/faults.md";
}

TEST(DocsTest, ChecksMdIsWhatTheDescriptionsSay) {
  EXPECT_EQ(text_of(BREAKWIRE_SOURCE_DIR "/docs/checks.md"), checks_markdown())
      << "rewrite it: build/dev/bin/breakwire docs checks > docs/checks.md";
}

}  // namespace
}  // namespace breakwire::reports
