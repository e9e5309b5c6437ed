#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

constexpr auto lost = StatusCode::unavailable;
constexpr auto ok = StatusCode::ok;
const char* const in = "storefront->orders";
const char* const out = "orders->inventory";
const char* const method = "shop.v1.OrdersService/CreateOrder";
const char* const to_inventory = "shop.v1.InventoryService/Reserve";

/// A shop in which orders are placed; the fault `down` is in force from 1 s to 3 s. Streams are numbered by
/// the order's trace, on connection 1 towards orders and 2 towards inventory.
class Shop {
 public:
  Shop() {
    builder_.fault({.id = {"down"}, .on = out});
    builder_.phase(Phase::baseline).accept(in, 1).accept(out, 2);
    passed_on(100ms);
    builder_.phase(Phase::main).at(1s).arm("down").hit("down", out, 2);
  }
  /// A call that reaches the inventory and comes back after 10 ms with `code`.
  Shop& passed_on(Duration t, StatusCode code = ok) {
    begin(t).further(t + 1ms);
    builder_.at(t + 9ms).end(out, 2, stream(), code);
    return finish(t + 10ms, code);
  }
  /// One that stops at orders.
  Shop& shed(Duration t, StatusCode code = lost, Duration took = 1ms) {
    return begin(t).finish(t + took, code);
  }
  /// One that a fault answers before orders sees it.
  Shop& answered_by_fault(Duration t) {
    ++trace_;
    ++stream_;
    builder_.at(t).start(in, 1, stream(), {.method = method, .trace = trace_, .held = true});
    builder_.at(t + 1ms).end_as(in, 1, stream(), faults::Ending::ended_by_fault);
    return *this;
  }
  /// One that hangs at the inventory for so long.
  Shop& hung(Duration t, Duration time) {
    begin(t).further(t + 1ms);
    hanging_.push_back({t + time, stream()});
    return *this;
  }
  Shop& begin(Duration t, unsigned previous = 0, const char* what = method) {
    if (previous == 0) ++trace_;
    ++stream_;
    builder_.at(t).start(in, 1, stream(), {.method = what, .trace = trace_, .previous = previous});
    return *this;
  }
  Shop& further(Duration t) {
    builder_.at(t).start(out, 2, stream(), {.method = to_inventory, .trace = trace_});
    return *this;
  }
  Shop& finish(Duration t, StatusCode code) {
    builder_.at(t).end(in, 1, stream(), code);
    return *this;
  }
  /// Closes the window and ends the run at `t`.
  Shop& over(Duration t = 9s) {
    for (const auto& [when, stream] : hanging_) {
      builder_.at(when).end_as(out, 2, stream, faults::Ending::reset_by_downstream, Http2Error::cancel);
      builder_.end(in, 1, stream, StatusCode::deadline_exceeded);
    }
    builder_.at(3s).clear("down").at(t).phase(Phase::teardown);
    return *this;
  }
  uint64_t trace() const { return trace_; }
  HistoryBuilder& builder() { return builder_; }
  operator const history::History&() const { return builder_; }

 private:
  StreamId stream() const { return stream_ * 2 + 1; }
  HistoryBuilder builder_;
  uint64_t trace_ = 0;
  StreamId stream_ = 0;
  std::vector<std::pair<Duration, StreamId>> hanging_;
};

/// Fails from 1 s on, is open from 1.5 s on, with probes at 2 s and 2.5 s, and closes at 3.1 s.
Shop good() {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  for (Duration t = 1500ms; t < 3100ms; t += 50ms) {
    t == 2s || t == 2500ms ? shop.passed_on(t, lost) : shop.shed(t);
  }
  for (Duration t = 3100ms; t < 5s; t += 50ms) shop.passed_on(t);
  return shop;
}

std::string entry(const std::string& rest) {
  return R"({"check": "breaker", "on": "orders->inventory", "during": "down", )" + rest + "}";
}
const std::string opens = R"("opens_within": "600ms", "open_period": "500ms")";
const std::string closes = R"("closes_within": "500ms")";

TEST(BreakerTest, OpensShedsProbesAndCloses) {
  const auto result = judged(entry(opens + ", " + closes), good().over());
  EXPECT_PASSED(result);
  EXPECT_EQ(
      result.expected,
      "from 600ms after the window begins at most 1 attempt per 500ms on orders->inventory, 1 probe at a "
      "time, and at least 1 in all; all else is shed with UNAVAILABLE, 99% within 100ms, and not tried "
      "again; from 500ms after "
      "the window ends every call is passed on to orders->inventory again");
  EXPECT_EQ(
      result.actual,
      "12 failed attempts on orders->inventory in the window; 2 attempts there while it should be open; "
      "26 calls shed; 26 UNAVAILABLE; p99 1 ms; 30 calls offered when it should be closed again; the "
      "last shed one came 50 ms after the window");
  EXPECT_EQ(result.samples, 58u);
}

TEST(BreakerTest, TrafficThatGoesOnIsNoOpenCircuit) {
  Shop shop;
  for (Duration t = 1s; t < 3s; t += 100ms) shop.passed_on(t, lost);
  const auto result = judged(entry(opens), shop.over());
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("5 attempts within one open period from 1.601 s on"), std::string::npos)
      << result.actual;
  EXPECT_EQ(result.evidence.size(), 5u);
}

TEST(BreakerTest, OpeningTooLateIsSeen) {
  EXPECT_PASSED(judged(entry(R"("opens_within": "500ms", "open_period": "500ms")"), good().over()));
  EXPECT_EQ(judged(entry(R"("opens_within": "200ms", "open_period": "500ms")"), good().over()).verdict,
            Verdict::failed);
}

TEST(BreakerTest, ProbesAreAnOpenPeriodApart) {
  EXPECT_EQ(judged(entry(R"("opens_within": "600ms", "open_period": "700ms")"), good().over()).verdict,
            Verdict::failed);
  const auto two =
      judged(entry(R"("opens_within": "600ms", "open_period": "700ms", "max_probes": 2)"), good().over());
  EXPECT_PASSED(two);
  const auto retried = judged(
      entry(R"("opens_within": "600ms", "open_period": "700ms", "attempts_per_probe": 2)"), good().over());
  EXPECT_PASSED(retried);
  // The relay read the HEADERS of the first of them 40 ms late.
  EXPECT_PASSED(judged(entry(R"("opens_within": "600ms", "open_period": "540ms")"), good().over()));
}

TEST(BreakerTest, ACircuitThatNeverProbesIsNotHowABreakerFindsOut) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  for (Duration t = 1500ms; t < 3s; t += 100ms) shop.shed(t);
  for (Duration t = 3s; t < 5s; t += 100ms) shop.passed_on(t);
  shop.over();
  const auto result = judged(entry(opens + ", " + closes), shop);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("no probe was let through, and by 2.150 s 1 probe had to be"),
            std::string::npos)
      << result.actual;
  EXPECT_EQ(result.evidence.size(), 8u) << "the calls that were offered from then on";
  EXPECT_PASSED(judged(entry(opens + ", " + closes + R"(, "min_probes": 0)"), shop));
}

TEST(BreakerTest, AProbeIsAskedForOnlyWhenItIsDueAndSomebodyCalls) {
  EXPECT_PASSED(judged(entry(opens + R"(, "min_probes": 2)"), good().over()));
  const auto three =
      judged(entry(R"("opens_within": "600ms", "open_period": "400ms", "min_probes": 3)"), good().over());
  EXPECT_EQ(three.verdict, Verdict::failed);
  EXPECT_NE(three.actual.find("only 2 probes were let through, and by 2.840 s 3 probes had to be"),
            std::string::npos)
      << three.actual;
  Shop quiet;
  for (Duration t = 1s; t < 1500ms; t += 50ms) quiet.passed_on(t, lost);
  for (Duration t = 1500ms; t < 2150ms; t += 50ms) quiet.shed(t);
  EXPECT_PASSED(judged(entry(opens), quiet.over()));
  Shop waiting;  // for a probe from before it had to be open
  for (Duration t = 1s; t < 1200ms; t += 50ms) waiting.passed_on(t, lost);
  waiting.hung(1550ms, 1s);
  for (Duration t = 1600ms; t < 3s; t += 50ms) waiting.shed(t);
  EXPECT_PASSED(judged(entry(opens), waiting.over()));
}

TEST(BreakerTest, ProbesDoNotOverlap) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  shop.hung(1700ms, 700ms).shed(1800ms).hung(2300ms, 400ms).shed(2900ms);
  const auto result = judged(entry(opens), shop.over());
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("2 probes under way at a time at 2.301 s"), std::string::npos)
      << result.actual;
  EXPECT_EQ(result.evidence.size(), 2u);
}

TEST(BreakerTest, CallsFromBeforeTheTripMayHangOn) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.hung(t, 1s);
  shop.shed(1700ms).hung(1800ms, 100ms).shed(1900ms);
  EXPECT_PASSED(judged(entry(opens), shop.over()));
}

TEST(BreakerTest, ShedCallsEndWithTheDeclaredCode) {
  const Shop shop = good().shed(2900ms, StatusCode::internal).over();
  const auto result = judged(entry(opens), shop);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("26 UNAVAILABLE, 1 INTERNAL; 1 not with UNAVAILABLE, first "),
            std::string::npos)
      << result.actual;
  EXPECT_EQ(result.evidence.size(), 1u);
  EXPECT_PASSED(judged(entry(opens + R"(, "status": ["UNAVAILABLE", "INTERNAL"])"), shop));
}

TEST(BreakerTest, ShedCallsAreFast) {
  Shop shop;
  shop.passed_on(1s, lost);
  for (Duration t = 1700ms; t < 2700ms; t += 200ms) shop.shed(t, lost, 120ms);
  shop.passed_on(2100ms, lost);
  const auto result = judged(entry(opens), shop.over());
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("p99 120 ms; too slow"), std::string::npos) << result.actual;
  EXPECT_EQ(result.evidence.size(), 5u);
  EXPECT_PASSED(judged(entry(opens + R"(, "shed_within": "120ms")"), shop));
}

TEST(BreakerTest, AShedCallThatNeverEndsIsWrong) {
  Shop shop = good();
  shop.begin(2800ms);
  const auto result = judged(entry(opens), shop.over());
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 never ended"), std::string::npos) << result.actual;
}

TEST(BreakerTest, ShedCallsAreNotTriedAgain) {
  Shop shop = good();
  shop.shed(2800ms).begin(2850ms, 1).finish(2851ms, lost);
  const auto result = judged(entry(opens), shop.over());
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 shed call tried again, first storefront->orders connection 1"),
            std::string::npos)
      << result.actual;
  EXPECT_EQ(result.evidence.size(), 1u);
}

TEST(BreakerTest, WhoMayHaveTriedAgainProvesNothing) {
  Shop shop = good();
  shop.shed(2800ms);
  // The same method in the same trace, and no word about being a further attempt.
  shop.builder().at(2850ms).start(in, 1, 9001, {.method = method, .trace = shop.trace()});
  shop.builder().at(2851ms).end(in, 1, 9001, lost);
  shop.over();
  const auto result = judged(entry(opens), shop);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.reason.find("may be a shed one that was tried again"), std::string::npos) << result.reason;
}

TEST(BreakerTest, ACircuitThatDoesNotCloseIsStuck) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  for (Duration t = 1500ms; t < 5s; t += 100ms) shop.shed(t);
  const auto result = judged(entry(closes), shop.over());
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.expected,
            "from 500ms after the window ends every call is passed on to orders->inventory again");
  EXPECT_EQ(result.actual,
            "15 calls offered when it should be closed again; the last shed one came 1.9 s after the window; "
            "15 of them not passed on: the circuit does not close");
  EXPECT_EQ(result.evidence.size(), 15u);
  EXPECT_PASSED(judged(entry(opens + R"(, "min_probes": 0)"), shop));  // closing is another matter
}

TEST(BreakerTest, ClosingTooLateIsSeenAndWhatIsPassedOnMayFail) {
  EXPECT_EQ(judged(entry(R"("closes_within": "40ms")"), good().over()).verdict, Verdict::failed);
  EXPECT_PASSED(judged(entry(R"("closes_within": "100ms")"), good().passed_on(5s, lost).over()));
}

TEST(BreakerTest, ARelapseIsNotClosed) {
  EXPECT_EQ(judged(entry(closes), good().shed(4900ms).over()).verdict, Verdict::failed);
}

TEST(BreakerTest, WhatNeverOpenedCannotClose) {
  Shop shop;
  for (Duration t = 1s; t < 5s; t += 100ms) shop.passed_on(t, t < 3s ? lost : ok);
  const auto result = judged(entry(closes), shop.over());
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call was shed before, so the circuit was never open");
}

TEST(BreakerTest, WhatAFaultAnsweredWasNotShedByTheBreaker) {
  Shop shop;
  for (Duration t = 1s; t < 5s; t += 100ms) shop.passed_on(t, t < 3s ? lost : ok);
  const auto never_open = judged(entry(closes), shop.answered_by_fault(2050ms).over());
  EXPECT_EQ(never_open.verdict, Verdict::inconclusive);
  EXPECT_EQ(never_open.reason, "no call was shed before, so the circuit was never open");
  EXPECT_PASSED(judged(entry(closes), good().answered_by_fault(4950ms).over()));
  const auto open = judged(entry(opens), good().answered_by_fault(2950ms).over());
  EXPECT_PASSED(open);
  EXPECT_NE(open.actual.find("; 26 calls shed;"), std::string::npos) << open.actual;
}

TEST(BreakerTest, WithoutCallsAfterwardsClosingIsNotProved) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  for (Duration t = 1500ms; t < 3s; t += 100ms) shop.shed(t);
  const auto result = judged(entry(closes), shop.passed_on(3400ms).over());
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call was offered later than 500ms after the window");
}

TEST(BreakerTest, WithoutCallsWhileOpenNothingIsProved) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  const auto none = judged(entry(opens), shop.over());
  EXPECT_EQ(none.verdict, Verdict::inconclusive);
  EXPECT_EQ(none.reason, "no call was offered while the circuit should be open");

  Shop one;
  one.passed_on(1s, lost).passed_on(2s, lost);
  EXPECT_EQ(judged(entry(opens), one.over()).reason, "no call was shed");
}

TEST(BreakerTest, WithoutAFailureThereIsNoReasonToOpen) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, StatusCode::failed_precondition);
  const auto result = judged(entry(opens), shop.shed(2s).over());
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "nothing failed on orders->inventory, so there was no reason to open");
}

TEST(BreakerTest, WithoutAConnectionCallsFailWithNoBreakerAtAll) {
  Shop shop;
  for (Duration t = 1s; t < 1500ms; t += 50ms) shop.passed_on(t, lost);
  shop.builder().at(1550ms).close(out, 2, faults::Peer::upstream);
  for (Duration t = 1600ms; t < 3s; t += 100ms) shop.shed(t);
  shop.builder().at(3s).accept(out, 2);
  const auto result = judged(entry(opens), shop.over());
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason,
            "there was no connection on orders->inventory: without one calls fail with no breaker at all");
}

TEST(BreakerTest, MethodsThatNeedNothingAreNotShed) {
  Shop shop = good();
  shop.begin(2800ms, 0, "shop.v1.OrdersService/EstimateDelivery").finish(2801ms, ok);
  EXPECT_PASSED(judged(entry(opens), shop.over()));
  EXPECT_EQ(judged(entry(opens + R"(, "method": "shop.v1.OrdersService/*")"), shop).verdict, Verdict::failed)
      << "named, so meant";
}

TEST(BreakerTest, WithoutTraceIdsNobodyKnowsWhatWasPassedOn) {
  HistoryBuilder builder;
  builder.fault({.id = {"down"}, .on = out}).phase(Phase::baseline).accept(in, 1).accept(out, 2);
  builder.at(1s).arm("down").hit("down");
  builder.at(1100ms).start(in, 1, 1, {.method = method}).start(out, 2, 1, {.method = to_inventory});
  builder.end(out, 2, 1, lost).end(in, 1, 1, lost).at(3s).clear("down");
  const auto result = judged(entry(opens), builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call on orders->inventory shares a trace id with a call at its caller");
}

TEST(BreakerTest, AnEdgeWhoseCallerNobodyCallsShowsNothing) {
  HistoryBuilder builder;
  builder.fault({.id = {"down"}, .on = "client->storefront"})
      .phase(Phase::baseline)
      .at(1s)
      .arm("down")
      .hit("down");
  builder.at(3s).clear("down");
  const auto result =
      judged(R"({"check": "breaker", "on": "client->storefront", "during": "down", )" + opens + "}", builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.reason.find("no edge leads to the caller on client->storefront"), std::string::npos);
}

TEST(BreakerTest, AWindowShorterThanTheOpeningProvesNothing) {
  EXPECT_EQ(judged(entry(R"("opens_within": "2s", "open_period": "500ms")"), good().over()).reason,
            "the window was over before the circuit had to be open");
}

}  // namespace
}  // namespace breakwire::checks
