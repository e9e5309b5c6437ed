#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

/// Calls that took 1, 2, … n ms, and one that took as long as said.
HistoryBuilder calls(int n, Duration odd, StatusCode status = StatusCode::ok) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline);
  for (int i = 1; i <= n; ++i) builder.at(1s * i).issue(i).at(1s * i + 1ms * i).done(i);
  return builder.at(100s).issue(99).at(100s + odd).done(99, status);
}

TEST(LatencyTest, PercentilesAreNearestRank) {
  const auto ten = calls(9, 10ms);
  EXPECT_PASSED(
      judged(R"({"check": "latency", "p50": "5ms", "p90": "9ms", "p95": "10ms", "max": "10ms"})", ten));
  EXPECT_EQ(judged(R"({"check": "latency", "p50": "4.9ms"})", ten).verdict, Verdict::failed);
  EXPECT_EQ(judged(R"({"check": "latency", "p90": "8.9ms"})", ten).verdict, Verdict::failed);
  EXPECT_EQ(judged(R"({"check": "latency", "p99": "9.9ms"})", ten).verdict, Verdict::failed);
}

TEST(LatencyTest, NamesTheWorstOffender) {
  const auto result = judged(R"({"check": "latency", "p50": "10ms", "max": "100ms"})", calls(3, 250ms));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.expected, "p50 ≤ 10ms; max ≤ 100ms over calls that end with OK");
  EXPECT_EQ(result.actual, "p50 2 ms; max 250 ms (too slow); slowest shoppers-99 with 250 ms at 100.000 s");
  EXPECT_EQ(numbers(result), Evidence{9});
}

TEST(LatencyTest, CountsFromTheIntendedStart) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(500ms);
  history::CallIssued late{.load = {"shoppers"}, .number = 1, .intended = t0 + 200ms};
  builder.add(late).at(510ms).add(history::CallDone{.load = {"shoppers"}, .number = 1});
  EXPECT_EQ(judged(R"({"check": "latency", "max": "309ms"})", builder).verdict, Verdict::failed);
  EXPECT_PASSED(judged(R"({"check": "latency", "max": "310ms"})", builder));
}

TEST(LatencyTest, OtherOutcomesDoNotCount) {
  const auto builder = calls(3, 900ms, StatusCode::deadline_exceeded);
  EXPECT_PASSED(judged(R"({"check": "latency", "max": "10ms"})", builder));
  const auto all =
      judged(R"({"check": "latency", "status": ["OK", "DEADLINE_EXCEEDED"], "max": "10ms"})", builder);
  EXPECT_EQ(all.verdict, Verdict::failed);
  const auto none = judged(R"({"check": "latency", "status": ["INTERNAL"], "max": "10ms"})", builder);
  EXPECT_EQ(none.verdict, Verdict::inconclusive);
  EXPECT_EQ(none.reason, "no call ended with INTERNAL");
}

}  // namespace
}  // namespace breakwire::checks
