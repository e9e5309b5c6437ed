#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const edge = "orders->inventory";
constexpr auto lost = StatusCode::unavailable;

std::string entry(const std::string& more = "") {
  return R"({"check": "backoff", "on": "orders->inventory", "initial": "100ms")" +
         (more.empty() ? "" : ", " + more) + "}";
}

/// One call whose attempts take 10 ms each and fail, but for the last; these waits lie between them.
struct CallPlan {
  std::vector<Duration> waits;
  std::optional<Duration> timeout = {};
};
HistoryBuilder& call(HistoryBuilder& builder, uint64_t number, const CallPlan& plan) {
  Duration t = 1s + static_cast<int64_t>(number) * 1ms;
  const auto stream = [&](size_t attempt) { return static_cast<StreamId>(number * 100 + attempt * 2 + 1); };
  for (size_t i = 0; i <= plan.waits.size(); ++i) {
    builder.at(t).start(edge, 1, stream(i),
                        {.timeout = plan.timeout, .trace = number, .previous = static_cast<unsigned>(i)});
    t += 10ms;
    builder.at(t).end(edge, 1, stream(i), i < plan.waits.size() ? lost : StatusCode::ok);
    if (i < plan.waits.size()) t += plan.waits[i];
  }
  return builder;
}
HistoryBuilder begun() {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).accept(edge, 1);
  return builder;
}
/// Waits spread evenly over `middle` ± `width`, one call each, after those of `before`.
std::vector<CallPlan> spread(size_t calls, Duration middle, Duration width,
                             std::vector<Duration> before = {}) {
  std::vector<CallPlan> plans;
  for (size_t i = 0; i < calls; ++i) {
    auto waits = before;
    waits.push_back(middle - width + 2 * width * static_cast<int>(i) / static_cast<int>(calls - 1));
    plans.push_back({waits});
  }
  return plans;
}
HistoryBuilder calls(const std::vector<CallPlan>& plans) {
  HistoryBuilder builder = begun();
  for (size_t i = 0; i < plans.size(); ++i) call(builder, i + 1, plans[i]);
  return builder;
}
/// Ends an attempt with trailers that hold grpc-retry-pushback-ms.
HistoryBuilder& push_back(HistoryBuilder& builder, StreamId stream, int ms) {
  faults::CallEnded ended;
  ended.edge = {edge};
  ended.connection = {1};
  ended.stream = stream;
  ended.times = {builder.now(), builder.now()};
  ended.status = lost;
  ended.pushback_ms = ms;
  return builder.add(ended);
}

TEST(BackoffTest, WaitsSpreadOverTheirRangeArePassed) {
  const auto result = judged(entry(), calls(spread(30, 100ms, 20ms)));
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 30u);
  EXPECT_EQ(result.expected,
            "before a retry on orders->inventory its caller waits 100ms, each time 2 times as long, ±20% at "
            "random");
  EXPECT_EQ(result.actual, "30 waits before retry 1, 80 ms to 120 ms, mean 100 ms");
}

TEST(BackoffTest, CcoresFirstRetryComesExactlyWhenItsFurtherOnesAreSpread) {
  const auto history = calls(spread(30, 200ms, 40ms, {101ms}));
  EXPECT_PASSED(judged(entry(R"("profile": "ccore-1.51")"), history));
  const auto uneven = calls(spread(30, 100ms, 20ms));
  const auto result = judged(entry(R"("profile": "ccore-1.51")"), uneven);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(
      result.actual.find("11 too early, first orders->inventory connection 1 stream 103 after 80 ms where "
                         "100 ms was due"),
      std::string::npos)
      << result.actual;
}

TEST(BackoffTest, BeforeItsRevisionA6AllowedAnyWaitUpToTheNominal) {
  EXPECT_PASSED(judged(entry(R"("profile": "grpc-before-2024")"), calls(spread(30, 50ms, 50ms))));
  EXPECT_EQ(judged(entry(), calls(spread(30, 50ms, 50ms))).verdict, Verdict::failed);
}

TEST(BackoffTest, AWaitThatIsTooShortIsShown) {
  auto plans = spread(30, 100ms, 20ms);
  plans[0].waits = {76ms};  // a client's clock may be that early
  EXPECT_PASSED(judged(entry(), calls(plans)));
  plans[0].waits = {74ms};
  const auto result = judged(entry(), calls(plans));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "30 waits before retry 1, 74 ms to 120 ms, mean 100 ms; 1 too early, first orders->inventory "
            "connection 1 stream 103 after 74 ms where 80 ms to 120 ms was due");
  EXPECT_EQ(numbers(result), (Evidence{5, 6}));
}

TEST(BackoffTest, AFewWaitsThatTakeTooLongAreTheSchedulers) {
  const auto with_late = [](size_t count, Duration wait) {
    auto plans = spread(40, 100ms, 20ms);
    for (size_t i = 0; i < count; ++i) plans[10 + i].waits = {wait};
    return calls(plans);
  };
  EXPECT_PASSED(judged(entry(), with_late(2, 500ms)));  // of 40: 5 %
  const auto result = judged(entry(), with_late(3, 500ms));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("3 too late, worst"), std::string::npos) << result.actual;
  EXPECT_EQ(result.evidence.size(), 6u);
  EXPECT_PASSED(judged(entry(R"("late": "0%")"), with_late(1, 169ms)));
  EXPECT_EQ(judged(entry(R"("late": "0%")"), with_late(1, 171ms)).verdict, Verdict::failed);
}

TEST(BackoffTest, WaitsGrowUpToTheirCap) {
  EXPECT_PASSED(judged(entry(R"("max": "150ms")"), calls(spread(30, 150ms, 30ms, {100ms}))));
  const auto growing = calls(spread(30, 150ms, 30ms, {100ms}));
  EXPECT_EQ(judged(entry(R"("max": "1s")"), growing).verdict, Verdict::failed) << "120 ms where 160 were due";
  EXPECT_EQ(judged(entry(R"("multiplier": 1)"), calls(spread(30, 200ms, 40ms, {100ms}))).verdict,
            Verdict::failed);
}

TEST(BackoffTest, WhatTheSlackHidesInOneWaitShowsInTheMeanOfMany) {
  const std::string quick = R"({"check": "backoff", "on": "orders->inventory", "initial": "30ms"})";
  EXPECT_PASSED(judged(quick, calls(spread(30, 60ms, 12ms, {30ms}))));
  const auto result = judged(quick, calls(spread(30, 90ms, 18ms, {30ms})));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("the mean before retry 2 should be 60 ms"), std::string::npos)
      << result.actual;
  EXPECT_EQ(result.evidence.size(), 20u);
  const auto low = judged(quick, calls(spread(30, 44ms, 1ms, {30ms})));
  EXPECT_NE(low.actual.find("the mean before retry 2 should be 60 ms"), std::string::npos) << low.actual;
}

TEST(BackoffTest, WaitsAllAlikeHaveNoJitter) {
  const auto result = judged(entry(), calls(spread(30, 100ms, 3ms)));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("no jitter: eight in ten of 30 waits lie within "), std::string::npos)
      << result.actual;
  EXPECT_FALSE(result.evidence.empty());
  EXPECT_PASSED(judged(entry(R"("jitter": "0%")"), calls(spread(30, 101ms, 1ms))));
  auto noisy = spread(30, 100ms, 3ms);
  noisy[3].waits = {140ms};
  EXPECT_EQ(judged(entry(), calls(noisy)).verdict, Verdict::failed) << "one late timer is no jitter";
}

TEST(BackoffTest, JitterTakesEnoughWaitsToShow) {
  const auto result = judged(entry(), calls(spread(19, 100ms, 20ms)));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "only 19 waits with jitter in it, 20 needed to tell whether it is there");
  EXPECT_PASSED(judged(entry(), calls(spread(20, 100ms, 20ms))));
  EXPECT_PASSED(judged(entry(R"("jitter": "0%")"), calls({{{100ms}}})));
  const auto first_only = judged(entry(R"("profile": "ccore-1.51")"), calls(spread(30, 101ms, 1ms)));
  EXPECT_EQ(first_only.verdict, Verdict::inconclusive) << "the first retry has none";
}

TEST(BackoffTest, WhatWasNeverRetriedProvesNothing) {
  const auto result = judged(entry(), calls({{}, {}}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call was retried on orders->inventory");
  EXPECT_EQ(judged(entry(R"("method": "shop.v1.Other/*")"), calls(spread(30, 100ms, 20ms))).verdict,
            Verdict::inconclusive);
}

TEST(BackoffTest, AnAttemptBesideARunningOneDidNotWait) {
  HistoryBuilder builder = begun();
  builder.at(1s).start(edge, 1, 1, {.trace = 1});
  builder.at(1100ms).start(edge, 1, 3, {.trace = 1, .previous = 1});
  builder.at(1200ms).end(edge, 1, 1, lost).end(edge, 1, 3);
  const auto result = judged(entry(), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "no retry; 1 attempt began while the one before was still running, first orders->inventory "
            "connection 1 stream 3");
  EXPECT_EQ(numbers(result), (Evidence{4, 5}));
}

TEST(BackoffTest, AWaitCountsFromWhenTheAnswerReachedItsCaller) {
  HistoryBuilder builder = begun();
  builder.at(1s).start(edge, 1, 1, {.trace = 1});
  builder.at(1010ms).add(faults::CallEnded{
      {edge}, {1}, 1, {builder.now(), std::nullopt}, faults::Ending::trailers, lost, "", {}, {}});
  builder.at(1500ms).forwarded(edge, 1, 1, faults::FrameKind::call_ended);
  builder.at(1600ms).start(edge, 1, 3, {.trace = 1, .previous = 1});
  EXPECT_PASSED(judged(entry(R"("jitter": "0%")"), builder));
}

TEST(BackoffTest, APushbackReplacesTheWaitAndBeginsTheBackoffAnew) {
  const auto pushed = [](Duration wait, Duration next) {
    HistoryBuilder builder = begun();
    builder.at(1s).start(edge, 1, 1, {.trace = 1});
    push_back(builder.at(1010ms), 1, 500);
    builder.at(1010ms + wait).start(edge, 1, 3, {.trace = 1, .previous = 1}).end(edge, 1, 3, lost);
    return builder.at(1010ms + wait + next).start(edge, 1, 5, {.trace = 1, .previous = 2});
  };
  const std::string exact = entry(R"("jitter": "0%")");
  EXPECT_PASSED(judged(exact, pushed(500ms, 100ms)));
  const auto ignored = judged(exact, pushed(100ms, 200ms));
  EXPECT_EQ(ignored.verdict, Verdict::failed);
  EXPECT_NE(
      ignored.actual.find("1 too early, first orders->inventory connection 1 stream 3 after 100 ms where "
                          "500 ms was told"),
      std::string::npos)
      << ignored.actual;
  EXPECT_EQ(judged(exact, pushed(500ms, 200ms)).verdict, Verdict::failed) << "it did not begin anew";
}

TEST(BackoffTest, AfterAPushbackThatForbidsItAnyRetryIsWrong) {
  HistoryBuilder builder = begun();
  builder.at(1s).start(edge, 1, 1, {.trace = 1});
  push_back(builder.at(1010ms), 1, -1);
  builder.at(1110ms).start(edge, 1, 3, {.trace = 1, .previous = 1});
  const auto result = judged(entry(R"("jitter": "0%")"), builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 attempt followed a pushback that forbade it"), std::string::npos)
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{5, 6}));
}

TEST(BackoffTest, ATransparentRetryNeedsNoWait) {
  HistoryBuilder builder = calls(spread(30, 100ms, 20ms));
  builder.at(9s).start(edge, 1, 9001, {.trace = 99});
  builder.end_as(edge, 1, 9001, faults::Ending::reset_by_upstream, Http2Error::refused_stream);
  builder.start(edge, 1, 9003, {.trace = 99}).end(edge, 1, 9003, lost);
  builder.at(9100ms).start(edge, 1, 9005, {.trace = 99, .previous = 1});
  const auto result = judged(entry(), builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 31u);
}

TEST(BackoffTest, WhoeverWaitsForAConnectionHasNoUpperBound) {
  const auto reconnected = [](Duration wait) {
    HistoryBuilder builder = begun();
    builder.at(1s).start(edge, 1, 1, {.trace = 1});
    builder.at(1010ms).end_as(edge, 1, 1, faults::Ending::connection_lost, {}, false);
    builder.at(1020ms).accept(edge, 2);
    return builder.at(1010ms + wait).start(edge, 2, 1, {.trace = 1, .previous = 1});
  };
  const std::string exact = entry(R"("jitter": "0%", "late": "0%")");
  EXPECT_PASSED(judged(exact, reconnected(2s)));
  EXPECT_EQ(judged(exact, reconnected(20ms)).verdict, Verdict::failed);
}

TEST(BackoffTest, AttemptsThatFoundNoConnectionHaveTheirOwnBackoff) {
  const auto skipping = [](Duration wait) {
    HistoryBuilder builder = begun();
    builder.at(1s).start(edge, 1, 1, {.trace = 1}).at(1010ms).end(edge, 1, 1, lost);
    return builder.at(1010ms + wait).start(edge, 1, 3, {.trace = 1, .previous = 2});
  };
  EXPECT_PASSED(judged(entry(R"("jitter": "0%")"), skipping(300ms)));
  EXPECT_EQ(judged(entry(R"("jitter": "0%")"), skipping(200ms)).verdict, Verdict::failed);
}

TEST(BackoffTest, WaitsThatTheDeadlineCouldCutShortSayNothingOfTheSpread) {
  auto plans = spread(30, 85ms, 5ms);
  EXPECT_EQ(judged(entry(), calls(plans)).verdict, Verdict::failed) << "a mean of 85 ms";
  for (auto& plan : plans) plan.timeout = 120ms;
  const auto result = judged(entry(), calls(plans));
  EXPECT_EQ(result.verdict, Verdict::inconclusive) << result.actual;
  EXPECT_EQ(result.samples, 30u);
}

TEST(BackoffTest, CallsBeforeTheWindowAreNotItsOwn) {
  HistoryBuilder builder;
  builder.fault({.id = {"f"}, .on = edge}).phase(Phase::baseline).accept(edge, 1);
  call(builder, 1, {{1ms}});
  builder.at(2s).arm("f").hit("f", edge, 1, 1);
  for (uint64_t i = 1500; i < 1530; ++i)
    call(builder, i, {{80ms + static_cast<int64_t>(i - 1500) * 4ms / 3}});
  const std::string windowed =
      R"({"check": "backoff", "on": "orders->inventory", "initial": "100ms", "during": "f"})";
  EXPECT_PASSED(judged(windowed, builder));
  EXPECT_EQ(judged(entry(), builder).verdict, Verdict::failed);
}

TEST(BackoffTest, AnAmbiguousJoinIsInconclusive) {
  HistoryBuilder builder = begun();
  builder.at(1s).start(edge, 1, 1).start(edge, 1, 3).at(1010ms).end(edge, 1, 1, lost).end(edge, 1, 3, lost);
  builder.at(1110ms).start(edge, 1, 5, {.previous = 1});
  const auto result = judged(entry(R"("jitter": "0%")"), builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.reason.find("1 attempt cannot be told to belong to one call"), std::string::npos);
}

TEST(BackoffTest, RefusesNumbersWithoutMeaning) {
  EXPECT_NE(
      errors_of(R"({"check": "backoff", "on": "a->b", "initial": "0s"})").find("`initial` must be more"),
      std::string::npos);
  EXPECT_NE(errors_of(entry(R"("multiplier": 0)")).find("`multiplier` must be more"), std::string::npos);
  EXPECT_NE(errors_of(entry(R"("profile": "ccore")")).find("ccore-1.51"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::checks
