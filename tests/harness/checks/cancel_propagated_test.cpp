#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using faults::Ending;

const char* const in = "storefront->orders";
const char* const out = "orders->inventory";
const char* const entry =
    R"({"check": "cancel_propagated", "from": "storefront->orders", "to": "orders->inventory", "within": "100ms"})";

/// A call at 1 s, a further call at 1.05 s; the caller's cancel reaches orders at 1.2 s.
HistoryBuilder cancelled() {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.timeout = 2s, .trace = 7});
  builder.at(1050ms).start(out, 2, 1, {.timeout = 2s, .trace = 7});
  return builder.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
}
HistoryBuilder& reset(HistoryBuilder& builder, Duration t) {
  builder.at(t).end_as(out, 2, 1, Ending::reset_by_downstream, Http2Error::cancel);
  return builder.at(3s).phase(Phase::settling);
}
HistoryBuilder stopped_at(Duration t) {
  HistoryBuilder builder = cancelled();
  return reset(builder, t);
}

TEST(CancelPropagatedTest, AFurtherCallResetInTimeIsPassed) {
  const auto result = judged(entry, stopped_at(1300ms));
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 1u);
  EXPECT_EQ(result.actual,
            "1 cancelled call on storefront->orders; 1 further call ended in time, the slowest after 100 ms");
}

TEST(CancelPropagatedTest, OneResetTooLateIsShown) {
  const auto result = judged(entry, stopped_at(1301ms));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(
      result.actual,
      "1 cancelled call on storefront->orders; 0 further calls ended in time; 1 not ended in time, first "
      "orders->inventory connection 2 stream 1, over 101 ms after the cancel at 1.200 s");
  EXPECT_EQ(numbers(result), (Evidence{4, 3, 5}));
}

TEST(CancelPropagatedTest, OneThatRunsToItsOwnEndOrForEverIsShown) {
  HistoryBuilder finished = cancelled();
  finished.at(2s).end(out, 2, 1);
  EXPECT_EQ(judged(entry, finished).verdict, Verdict::failed);
  HistoryBuilder open = cancelled();
  open.at(3s).phase(Phase::settling);
  const auto result = judged(entry, open);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("never over after the cancel at 1.200 s"), std::string::npos) << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{4, 3}));
}

TEST(CancelPropagatedTest, WorkBegunWhenTheCallerHadGoneIsShown) {
  HistoryBuilder builder = stopped_at(1250ms);
  builder.at(1500ms).start(out, 2, 3, {.trace = 7}).at(1501ms).end(out, 2, 3);
  const auto result = judged(entry, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(
      result.actual.find("1 begun when the caller had gone, first orders->inventory connection 2 stream 3 "
                         "300 ms after the cancel"),
      std::string::npos)
      << result.actual;
}

TEST(CancelPropagatedTest, ACallBegunWhileTheCancelWasOnItsWayIsEndedToo) {
  HistoryBuilder builder = stopped_at(1250ms);
  builder.at(1290ms).start(out, 2, 3, {.trace = 7});
  builder.at(1380ms).end_as(out, 2, 3, Ending::reset_by_downstream, Http2Error::cancel);
  EXPECT_PASSED(judged(entry, builder));
}

TEST(CancelPropagatedTest, ACancelCountsFromWhenItWasWrittenToTheService) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7});
  builder.at(1050ms).start(out, 2, 1, {.trace = 7});
  builder.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel, false);
  HistoryBuilder held = builder;
  builder.at(1800ms).forwarded(in, 1, 1, faults::FrameKind::call_ended);
  EXPECT_PASSED(judged(entry, reset(builder, 1850ms)));
  held.at(3s).phase(Phase::settling);
  EXPECT_EQ(judged(entry, held).reason, "no call on storefront->orders was cancelled") << "it never arrived";
}

TEST(CancelPropagatedTest, ALostConnectionCancelsUnlessTheServiceClosedIt) {
  const auto lost = [](faults::Peer by) {
    HistoryBuilder builder;
    builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7});
    builder.at(1050ms).start(out, 2, 1, {.trace = 7});
    builder.at(1200ms).end_as(in, 1, 1, Ending::connection_lost, {}, false).close(in, 1, by, true);
    return builder.at(3s).phase(Phase::settling);
  };
  EXPECT_EQ(judged(entry, lost(faults::Peer::downstream)).verdict, Verdict::failed);
  EXPECT_EQ(judged(entry, lost(faults::Peer::upstream)).verdict, Verdict::inconclusive);
}

TEST(CancelPropagatedTest, ACallThatAFaultEndedIsCancelledForItsService) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7});
  builder.at(1050ms).start(out, 2, 1, {.trace = 7});
  builder.at(1200ms).end_as(in, 1, 1, Ending::ended_by_fault, Http2Error::cancel);
  EXPECT_PASSED(judged(entry, reset(builder, 1250ms)));
}

TEST(CancelPropagatedTest, ADeadlineThatPassedEndsWhatIsOpen) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.timeout = 500ms, .trace = 7});
  builder.at(1050ms).start(out, 2, 1, {.trace = 7});
  builder.at(1500ms).end(in, 1, 1, StatusCode::deadline_exceeded);
  HistoryBuilder by_its_own = builder;
  HistoryBuilder early;
  EXPECT_PASSED(judged(entry, reset(builder, 1510ms)));
  by_its_own.at(1505ms).end(out, 2, 1, StatusCode::deadline_exceeded).at(3s).phase(Phase::settling);
  EXPECT_EQ(judged(entry, by_its_own).verdict, Verdict::inconclusive) << "nobody ended it";
  early.phase(Phase::baseline)
      .at(1s)
      .start(in, 1, 1, {.timeout = 5s, .trace = 7})
      .start(out, 2, 1, {.trace = 7});
  early.at(1500ms).end(in, 1, 1, StatusCode::deadline_exceeded).at(3s).phase(Phase::settling);
  EXPECT_EQ(judged(entry, early).verdict, Verdict::inconclusive) << "an answer like any other";
}

TEST(CancelPropagatedTest, WhatHadEndedBeforeIsFineAndProvesNothing) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7});
  builder.at(1050ms).start(out, 2, 1, {.trace = 7}).at(1100ms).end(out, 2, 1);
  builder.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
  const auto result = judged(entry, builder.at(3s).phase(Phase::settling));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call on orders->inventory was open when its caller's call was cancelled");
}

TEST(CancelPropagatedTest, WhatEndsByItselfInThatTimeProvesNothing) {
  HistoryBuilder builder = cancelled();
  builder.at(1250ms).end(out, 2, 1).at(3s).phase(Phase::settling);
  const auto result = judged(entry, builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.actual.find("1 over by themselves in that time"), std::string::npos) << result.actual;
}

TEST(CancelPropagatedTest, ToReachItsOwnDeadlineIsNotToBeStopped) {
  const auto with_timeout = [](Duration timeout) {
    HistoryBuilder builder;
    builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7});
    builder.at(1050ms).start(out, 2, 1, {.timeout = timeout, .trace = 7});
    builder.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
    return reset(builder, 1250ms);
  };
  const auto result = judged(entry, with_timeout(200ms));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "what was open on orders->inventory then was soon over by itself");
  EXPECT_NE(result.actual.find("1 over by themselves in that time"), std::string::npos) << result.actual;
  EXPECT_PASSED(judged(entry, with_timeout(400ms)));
}

TEST(CancelPropagatedTest, WhatMayBeForAnotherAttemptIsNotJudged) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline)
      .at(1s)
      .start(in, 1, 1, {.trace = 7})
      .at(1010ms)
      .start(in, 1, 3, {.trace = 7, .previous = 1});
  builder.at(1050ms).start(out, 2, 1, {.trace = 7});
  builder.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
  HistoryBuilder both = builder;
  builder.at(2s).end(out, 2, 1).end(in, 1, 3).at(3s).phase(Phase::settling);
  EXPECT_EQ(judged(entry, builder).verdict, Verdict::inconclusive);
  both.at(1300ms).end_as(in, 1, 3, Ending::reset_by_downstream, Http2Error::cancel).at(2s).end(out, 2, 1);
  EXPECT_EQ(judged(entry, both).verdict, Verdict::failed) << "then nobody was left";
}

TEST(CancelPropagatedTest, WithoutCancelsOrTracesNothingIsProved) {
  HistoryBuilder quiet;
  quiet.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7}).start(out, 2, 1, {.trace = 7});
  quiet.at(1100ms).end(out, 2, 1).end(in, 1, 1);
  EXPECT_EQ(judged(entry, quiet).reason, "no call on storefront->orders was cancelled");
  HistoryBuilder untraced;
  untraced.phase(Phase::baseline).at(1s).start(in, 1, 1).start(out, 2, 1);
  untraced.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
  EXPECT_EQ(judged(entry, untraced).reason,
            "the cancelled calls carry no trace id, so what was done for them cannot be told");
  HistoryBuilder elsewhere;
  elsewhere.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7}).start(out, 2, 1, {.trace = 8});
  elsewhere.at(1200ms).end_as(in, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
  EXPECT_EQ(judged(entry, elsewhere).reason,
            "no call on orders->inventory shares a trace id with a cancelled one");
}

TEST(CancelPropagatedTest, AHistoryThatEndsTooSoonDecidesNothing) {
  EXPECT_EQ(judged(entry, cancelled()).reason, "the history ends before the time to stop was over");
}

TEST(CancelPropagatedTest, OnlyTheMethodsAskedForMustStop) {
  const std::string charges =
      R"({"check": "cancel_propagated", "from": "storefront->orders", "to": "orders->inventory", "within": "100ms",
          "method": "shop.v1.Other/*"})";
  EXPECT_EQ(judged(charges, stopped_at(2s)).verdict, Verdict::inconclusive);
}

TEST(CancelPropagatedTest, OneEdgeIsNotTwo) {
  EXPECT_NE(errors_of(R"({"check": "cancel_propagated", "from": "a->b", "to": "a->b", "within": "1s"})")
                .find("same edge"),
            std::string::npos);
}

}  // namespace
}  // namespace breakwire::checks
