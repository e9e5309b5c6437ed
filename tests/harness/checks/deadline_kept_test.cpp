#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const edge = "orders->inventory";
const char* const on_edge = R"({"check": "deadline_kept", "on": "orders->inventory", "slack": "50ms"})";
const char* const at_load = R"({"check": "deadline_kept", "slack": "50ms"})";

HistoryBuilder begun(std::optional<Duration> timeout = 200ms) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(edge, 1, 1, {.timeout = timeout});
  return builder;
}

TEST(DeadlineKeptTest, ACallOverByItsDeadlinePlusSlackIsInTime) {
  EXPECT_PASSED(judged(on_edge, begun().at(1250ms).end(edge, 1, 1)));
  EXPECT_PASSED(judged(on_edge, begun().at(1202ms).end_as(edge, 1, 1, faults::Ending::reset_by_downstream,
                                                          Http2Error::cancel, false)));
}

TEST(DeadlineKeptTest, ACallThatOutlivesItsDeadlineIsShown) {
  const auto result = judged(on_edge, begun().at(1600ms).end(edge, 1, 1));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "1 call; 1 too late, worst orders->inventory connection 1 stream 1 by 400 ms");
  EXPECT_EQ(numbers(result), (Evidence{2, 3}));
}

TEST(DeadlineKeptTest, ACallThatNeverEndsIsLateOnceItsTimeHasPassed) {
  const auto hung = judged(on_edge, begun().at(5s).phase(Phase::settling));
  EXPECT_EQ(hung.verdict, Verdict::failed);
  EXPECT_NE(hung.actual.find("(never ended) by 3.8 s"), std::string::npos) << hung.actual;
  const auto early = judged(on_edge, begun().at(1100ms).phase(Phase::settling));
  EXPECT_EQ(early.verdict, Verdict::inconclusive) << "its time had not come";
}

TEST(DeadlineKeptTest, OnAnEdgeACallWithoutDeadlineIsAViolation) {
  const auto without = begun(std::nullopt).at(1010ms).end(edge, 1, 1);
  const auto result = judged(on_edge, without);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "1 call; 1 without a deadline, first orders->inventory connection 1 stream 1");
  EXPECT_EQ(numbers(result), Evidence{2});
  const auto allowed =
      judged(R"({"check": "deadline_kept", "on": "orders->inventory", "allow_missing": true})", without);
  EXPECT_EQ(allowed.verdict, Verdict::inconclusive) << "allowed, but nothing was proved either";
}

TEST(DeadlineKeptTest, AnAnswerInTimeThatAFaultHeldIsNotTheCallersFault) {
  HistoryBuilder builder = begun();
  builder.at(1050ms).end_as(edge, 1, 1, faults::Ending::trailers, {}, false);
  builder.at(3s).forwarded(edge, 1, 1, faults::FrameKind::call_ended);
  EXPECT_EQ(judged(on_edge, builder).verdict, Verdict::inconclusive);
  builder.at(4s).start(edge, 1, 3, {.timeout = 100ms}).at(4050ms).end(edge, 1, 3);
  const auto result = judged(on_edge, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "1 call; all in time; 1 answer in time but held by a fault, not judged");
}

TEST(DeadlineKeptTest, AtTheLoadTheClientsClockCounts) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).issue(1, 200ms).at(1240ms).done(1, StatusCode::deadline_exceeded);
  EXPECT_PASSED(judged(at_load, builder));
  builder.at(2s).issue(2, 200ms).at(2300ms).done(2).issue(3, 100ms).at(9s).phase(Phase::settling);
  const auto result = judged(at_load, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "3 calls; 2 too late, worst shoppers-3 (never ended) by 6.6 s");
  EXPECT_EQ(numbers(result), (Evidence{5, 6}));
}

TEST(DeadlineKeptTest, ALoadWithoutDeadlinesProvesNothing) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).issue(1, std::nullopt).at(1s).done(1);
  EXPECT_EQ(judged(at_load, builder).reason, "no call in the window carried a deadline");
}

}  // namespace
}  // namespace breakwire::checks
