#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const in = "storefront->orders";
const char* const out = "orders->inventory";
const char* const entry =
    R"({"check": "deadline_propagated", "from": "storefront->orders", "to": "orders->inventory"})";

/// A caller with 1 s, forwarded at 1.1 s after a fault held it; the further call begins 100 ms later.
HistoryBuilder with_further_call(std::optional<Duration> timeout) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.timeout = 1s, .trace = 7, .held = true});
  builder.at(1100ms).forwarded(in, 1, 1, faults::FrameKind::call_started);
  return builder.at(1200ms).start(out, 2, 1, {.timeout = timeout, .trace = 7});
}

TEST(DeadlinePropagatedTest, AtMostWhatRemainsWithRoundingIsPassedOn) {
  EXPECT_PASSED(judged(entry, with_further_call(900ms)));
  EXPECT_PASSED(judged(entry, with_further_call(918ms)));  // 900 × 1.015 + 5
}

TEST(DeadlinePropagatedTest, MoreThanWasGivenIsShownWithBothCalls) {
  const auto result = judged(entry, with_further_call(5s));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(
      result.actual,
      "1 call joined with a caller's deadline; 1 carried too much, worst orders->inventory connection 2 "
      "stream 1 with 5 s where 900 ms of 1 s remained");
  EXPECT_EQ(numbers(result), (Evidence{2, 4}));
  EXPECT_EQ(
      judged(
          R"({"check": "deadline_propagated", "from": "storefront->orders", "to": "orders->inventory", "late": "100%"})",
          with_further_call(5s))
          .verdict,
      Verdict::failed)
      << "more than the service was given itself is never the reading's fault";
}

TEST(DeadlinePropagatedTest, TheWholeOfWhatWasGivenPassedOnByMoreThanAFewIsShown) {
  const auto result = judged(entry, with_further_call(1s));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "1 call joined with a caller's deadline; 1 carried more than what remained and no more than was "
            "given, which at most 5% of the calls may, worst "
            "orders->inventory connection 2 stream 1 with 1 s where 900 ms of 1 s remained");
  EXPECT_EQ(numbers(result), (Evidence{2, 4}));
  EXPECT_PASSED(judged(
      R"({"check": "deadline_propagated", "from": "storefront->orders", "to": "orders->inventory", "slack": "90ms"})",
      with_further_call(1s)));
}

TEST(DeadlinePropagatedTest, AFewReadLateAreTolerated) {
  const auto with_late = [](uint64_t late) {
    HistoryBuilder builder = with_further_call(900ms);
    for (uint64_t call = 0; call < 39; ++call) {
      const auto stream = static_cast<StreamId>(3 + 2 * call);
      builder.at(1200ms).start(in, 1, stream, {.timeout = 1s, .trace = 100 + call});
      builder.at(1300ms).start(out, 2, stream, {.timeout = call < late ? 1s : 900ms, .trace = 100 + call});
    }
    return builder;
  };
  EXPECT_PASSED(judged(entry, with_late(2)));  // of 40: 5 %
  EXPECT_EQ(judged(entry, with_late(3)).verdict, Verdict::failed);
}

TEST(DeadlinePropagatedTest, NoDeadlineAtAllIsAFailure) {
  const auto result = judged(entry, with_further_call(std::nullopt));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "1 call joined with a caller's deadline; 1 carried none, first orders->inventory "
            "connection 2 stream 1");
  EXPECT_EQ(numbers(result), (Evidence{2, 4}));
}

TEST(DeadlinePropagatedTest, FurtherAttemptsCarryWhatRemains) {
  const auto with_retry = [](Duration timeout) {
    HistoryBuilder builder = with_further_call(500ms);
    builder.at(1300ms).end(out, 2, 1, StatusCode::unavailable);
    return builder.at(1310ms).start(out, 2, 3, {.timeout = timeout, .trace = 7, .previous = 1});
  };
  EXPECT_PASSED(
      judged(entry, with_retry(512ms)));  // 500 × 1.015 + 5: a client's clock may be read a little late
  const auto result = judged(entry, with_retry(600ms));
  EXPECT_EQ(result.verdict, Verdict::failed) << "600 ms is within what remains, but more than the first had";
  EXPECT_EQ(numbers(result), (Evidence{4, 6}));
}

TEST(DeadlinePropagatedTest, WithoutACommonTraceNothingIsProved) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.timeout = 1s, .trace = 7});
  EXPECT_EQ(judged(entry, builder).reason, "no call began on orders->inventory");
  builder.at(1100ms).start(out, 2, 1, {.timeout = 900ms, .trace = 8});
  const auto result = judged(entry, builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call on orders->inventory shares a trace id with one on storefront->orders");
  EXPECT_EQ(result.actual,
            "0 calls joined with a caller's deadline; 1 call had no caller on storefront->orders");
}

TEST(DeadlinePropagatedTest, ACallerWithoutDeadlineHasNothingToPassOn) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.trace = 7});
  builder.at(1100ms).start(out, 2, 1, {.timeout = 5s, .trace = 7});
  EXPECT_EQ(judged(entry, builder).reason, "no caller on storefront->orders set a deadline");
}

TEST(DeadlinePropagatedTest, OfSeveralPossibleCallersTheMostLenientCounts) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).start(in, 1, 1, {.timeout = 100ms, .trace = 7});
  builder.start(in, 1, 3, {.timeout = 1s, .trace = 7});
  builder.at(1050ms).start(out, 2, 1, {.timeout = 940ms, .trace = 7});
  EXPECT_PASSED(judged(entry, builder));
}

}  // namespace
}  // namespace breakwire::checks
