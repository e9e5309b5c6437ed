#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

/// Calls 1..n with these outcomes, 10 ms apart; events 2 and 3 are the first call's.
HistoryBuilder calls(const std::vector<StatusCode>& outcomes) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    builder.at(10ms * static_cast<int>(i + 1)).issue(i + 1);
    builder.at(10ms * static_cast<int>(i + 1) + 5ms).done(i + 1, outcomes[i], "why");
  }
  return builder;
}
constexpr auto ok = StatusCode::ok;
constexpr auto lost = StatusCode::unavailable;

TEST(OutcomesTest, EveryCallEndsWithOneOfTheCodes) {
  EXPECT_PASSED(judged(R"({"check": "outcomes", "only": ["OK", "UNAVAILABLE"]})", calls({ok, lost, ok})));
  const auto result = judged(R"({"check": "outcomes", "only": ["OK"]})", calls({ok, lost, ok}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.expected, "every call ends with OK");
  EXPECT_EQ(result.actual, "2 OK, 1 UNAVAILABLE; first other: shoppers-2 UNAVAILABLE at 0.025 s, \"why\"");
  EXPECT_EQ(result.samples, 3u);
  EXPECT_EQ(numbers(result), Evidence{5});
}

TEST(OutcomesTest, AtLeastCountsOrShares) {
  const auto three = calls({ok, ok, lost});
  EXPECT_PASSED(judged(R"({"check": "outcomes", "at_least": {"OK": 2, "UNAVAILABLE": 1}})", three));
  EXPECT_PASSED(judged(R"({"check": "outcomes", "at_least": {"OK": "66%"}})", three));
  const auto result = judged(R"({"check": "outcomes", "at_least": {"OK": "67%"}})", three);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "2 OK, 1 UNAVAILABLE; too few OK");
  EXPECT_EQ(numbers(result), Evidence{7});
}

TEST(OutcomesTest, AtMostCountsOrShares) {
  const auto three = calls({ok, ok, lost});
  EXPECT_PASSED(judged(R"({"check": "outcomes", "at_most": {"UNAVAILABLE": 1, "INTERNAL": "0%"}})", three));
  const auto result = judged(R"({"check": "outcomes", "at_most": {"UNAVAILABLE": "33%"}})", three);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.expected, "at most 33% UNAVAILABLE");
  EXPECT_EQ(numbers(result), Evidence{7});
}

TEST(OutcomesTest, ACallThatNeverEndedIsAFailure) {
  HistoryBuilder builder = calls({ok});
  builder.at(1s).issue(9);
  const auto result = judged(R"({"check": "outcomes", "at_least": {"OK": 1}})", builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "1 OK; 1 call never ended, first shoppers-9");
  EXPECT_EQ(numbers(result), Evidence{4});
}

TEST(OutcomesTest, WithoutCallsNothingIsProved) {
  const auto result = judged(R"({"check": "outcomes", "only": ["OK"]})", calls({}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "only 0 samples, 1 needed");
}

TEST(OutcomesTest, OtherLoadsDoNotCount) {
  HistoryBuilder builder = calls({ok});
  builder.at(1s).issue(7, 1s, "browsers").at(2s).done(7, lost);
  EXPECT_PASSED(judged(R"({"check": "outcomes", "load": "shoppers", "only": ["OK"]})", builder));
  EXPECT_EQ(judged(R"({"check": "outcomes", "only": ["OK"]})", builder).verdict, Verdict::failed);
}

}  // namespace
}  // namespace breakwire::checks
