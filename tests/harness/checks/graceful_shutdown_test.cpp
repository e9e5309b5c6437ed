// What a service owes between SIGTERM and its exit, rule by rule: one good drain, and one thing wrong each.
#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using faults::Ending;
using faults::Peer;
using history::HealthStatus;

const char* const edge = "storefront->orders";
const char* const control = "breakwire->orders";
const char* const entry =
    R"({"check": "graceful_shutdown", "service": "orders", "within": "3s", "after": "term"})";
constexpr uint32_t no_limit = 0x7fffffff;

/// Up to the signal at 2 s: one connection with a call in flight (stream 3), health polled.
HistoryBuilder until_signal() {
  HistoryBuilder builder;
  builder.fault({.id = {"term"}, .kind = "signal", .on = "orders", .process = true, .instant = true});
  builder.at(-1s).process("orders", 10).at(0s).phase(Phase::baseline);
  builder.accept(edge, 1).accept(control, 9);
  builder.at(1s).start(edge, 1, 1).at(1100ms).end(edge, 1, 1).health("orders", HealthStatus::serving);
  builder.at(1900ms).start(edge, 1, 3);
  return builder.at(2s)
      .arm("term")
      .hit("term", "", 0, 0, "send_signal")
      .signal("orders", 10, SIGTERM, "term");
}
struct Drain {
  bool not_serving = true;
  bool goaway = true;
  bool finishes = true;
  std::optional<Duration> exit = 2400ms;
  int code = 0;
};
HistoryBuilder drain(Drain how = {}) {
  HistoryBuilder builder = until_signal();
  if (how.not_serving) builder.at(2050ms).health("orders", HealthStatus::not_serving);
  if (how.goaway) {
    builder.at(2100ms).goaway(edge, 1, no_limit).goaway(control, 9, no_limit);
    builder.at(2110ms).goaway(edge, 1, 3).goaway(control, 9, 21);
  }
  if (how.finishes) builder.at(2300ms).end(edge, 1, 3);
  builder.at(2310ms).close(edge, 1, Peer::upstream);
  if (how.exit) builder.at(*how.exit).exit("orders", 10, how.code);
  return builder.at(6s).phase(Phase::teardown);
}
void expect_failed(const CheckResult& result, const std::string& actual, const Evidence& evidence) {
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, actual);
  EXPECT_EQ(numbers(result), evidence);
}

TEST(GracefulShutdownTest, AGoodDrainTellsWhatItDid) {
  const auto result = judged(entry, drain());
  EXPECT_PASSED(result);
  EXPECT_EQ(
      result.actual,
      "NOT_SERVING 50 ms after the signal; GOAWAY on 1 connection; 1 accepted call finished, 1 of them in "
      "flight at the signal; exited with code 0 400 ms after the signal");
  EXPECT_EQ(result.samples, 2u);
}

TEST(GracefulShutdownTest, ReadinessMustSaySo) {
  const auto never = judged(entry, drain({.not_serving = false}));
  EXPECT_EQ(never.verdict, Verdict::failed);
  EXPECT_EQ(never.actual, "health `readiness` never said NOT_SERVING");
}

TEST(GracefulShutdownTest, NotServingComesBeforeTheFirstGoawayAnywhere) {
  HistoryBuilder builder = until_signal();
  builder.at(2020ms).goaway(control, 9, no_limit).at(2050ms).health("orders", HealthStatus::not_serving);
  builder.at(2060ms)
      .goaway(edge, 1, 3)
      .at(2300ms)
      .end(edge, 1, 3)
      .exit("orders", 10, 0)
      .at(6s)
      .phase(Phase::teardown);
  expect_failed(judged(entry, builder),
                "GOAWAY 20 ms after the signal, before NOT_SERVING 50 ms after the signal", {14, 15});
}

TEST(GracefulShutdownTest, TheWireOrdersAnswersAndGoaways) {
  HistoryBuilder builder = until_signal();
  builder.at(2010ms).start(control, 9, 5, {.method = "grpc.health.v1.Health/Check"});
  builder.at(2015ms).end(control, 9, 5).at(2020ms).goaway(edge, 1, no_limit);
  // The poller's thread tells of the answer only now, though it passed the relay before the GOAWAY.
  builder.at(2050ms).add(
      history::HealthSeen{{"orders"}, "readiness", HealthStatus::not_serving, t0 + 2009ms, {}});
  builder.at(2300ms).end(edge, 1, 3).exit("orders", 10, 0).at(6s).phase(Phase::teardown);
  EXPECT_PASSED(judged(entry, builder));
}

TEST(GracefulShutdownTest, EveryConnectionGetsAGoaway) {
  const auto result = judged(entry, drain({.goaway = false}));
  expect_failed(result, "1 of 1 connection without GOAWAY NO_ERROR, first storefront->orders connection 1",
                {3, 16});
  HistoryBuilder builder = until_signal();
  builder.at(2050ms).health("orders", HealthStatus::not_serving);
  builder.at(2100ms).goaway(edge, 1, 3, Http2Error::internal_error).at(2300ms).end(edge, 1, 3);
  builder.exit("orders", 10, 0).at(6s).phase(Phase::teardown);
  EXPECT_EQ(
      judged(entry, builder).actual,
      "1 of 1 connection without GOAWAY NO_ERROR, first storefront->orders connection 1 got only GOAWAY "
      "INTERNAL_ERROR");
}

TEST(GracefulShutdownTest, AConnectionItsCallerClosedNeedsNone) {
  HistoryBuilder builder = until_signal();
  builder.at(2010ms).end(edge, 1, 3).close(edge, 1, Peer::downstream);
  builder.at(2050ms).health("orders", HealthStatus::not_serving).at(2100ms).exit("orders", 10, 0);
  builder.at(6s).phase(Phase::teardown);
  const auto result = judged(entry, builder);
  EXPECT_PASSED(result);
  EXPECT_NE(result.actual.find("no connection with calls was open"), std::string::npos) << result.actual;
}

struct Fate {
  std::string name;
  Ending how;
  std::optional<Http2Error> reset;
  std::string message;
  bool by_service = true;  // closes the connection afterwards
  std::string said;        // empty: not the service's fault
};
class FateTest : public testing::TestWithParam<Fate> {};

TEST_P(FateTest, OfAnAcceptedCall) {
  HistoryBuilder builder = until_signal();
  builder.at(2050ms).health("orders", HealthStatus::not_serving).at(2100ms).goaway(edge, 1, 3);
  builder.at(2200ms);
  if (GetParam().how == Ending::trailers) {
    builder.end(edge, 1, 3, StatusCode::unavailable, GetParam().message.c_str());
  } else {
    builder.end_as(edge, 1, 3, GetParam().how, GetParam().reset);
  }
  const EventNumber ended = builder.number();
  builder.close(edge, 1, GetParam().by_service ? Peer::upstream : Peer::downstream, true);
  builder.at(2400ms).exit("orders", 10, 0).at(6s).phase(Phase::teardown);
  const auto result = judged(entry, builder);
  if (GetParam().said.empty()) {
    EXPECT_PASSED(result);
    return;
  }
  expect_failed(
      result,
      "1 of 1 accepted call not finished, first: storefront->orders connection 1 stream 3 " + GetParam().said,
      {10, ended.value});
}

INSTANTIATE_TEST_SUITE_P(
    All, FateTest,
    testing::Values(Fate{"Answered", Ending::trailers, {}, "no stock", true, ""},
                    Fate{"CutAtTheEndOfGrace",
                         Ending::trailers,
                         {},
                         "Cancelling all calls",
                         true,
                         "was cut with \"Cancelling all calls\""},
                    Fate{"ConnectionLost", Ending::connection_lost, {}, "", true, "lost its connection"},
                    Fate{"ConnectionClosedByTheCaller", Ending::connection_lost, {}, "", false, ""},
                    Fate{"Reset", Ending::reset_by_upstream, Http2Error::internal_error, "", true,
                         "was reset with INTERNAL_ERROR"},
                    Fate{"ResetByTheCaller", Ending::reset_by_downstream, Http2Error::cancel, "", true, ""},
                    Fate{"EndedByAFault", Ending::ended_by_fault, {}, "", true, ""},
                    Fate{"RefusedWhileHeld", Ending::refused_while_held, Http2Error::refused_stream, "", true,
                         ""}),
    [](const auto& each) { return each.param.name; });

TEST(GracefulShutdownTest, ACallWithoutAnyAnswerIsNotFinished) {
  const auto result = judged(entry, drain({.finishes = false}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(
      result.actual,
      "1 of 1 accepted call not finished, first: storefront->orders connection 1 stream 3 had no answer when "
      "the process was gone");
}

TEST(GracefulShutdownTest, ACallAboveTheLastStreamWasNotAccepted) {
  HistoryBuilder builder = until_signal();
  builder.at(2050ms).health("orders", HealthStatus::not_serving).at(2100ms).goaway(edge, 1, 3);
  builder.at(2105ms).start(edge, 1, 5).at(2300ms).end(edge, 1, 3);
  builder.end_as(edge, 1, 5, Ending::connection_lost).close(edge, 1, Peer::upstream);
  builder.at(2400ms).exit("orders", 10, 0).at(6s).phase(Phase::teardown);
  EXPECT_PASSED(judged(entry, builder));
}

TEST(GracefulShutdownTest, NothingNewIsAcceptedAfterwards) {
  HistoryBuilder builder = until_signal();
  builder.at(2050ms).health("orders", HealthStatus::not_serving).at(2100ms).goaway(edge, 1, 3).at(2150ms);
  builder.accept(edge, 2).start(edge, 2, 1).end(edge, 2, 1);  // under way while the listener closed
  builder.at(2300ms).end(edge, 1, 3).at(2500ms).accept(edge, 3);
  const EventNumber accepted{builder.number().value - 1};
  builder.start(edge, 3, 1).end(edge, 3, 1);
  const EventNumber answered = builder.number();
  builder.at(2600ms).exit("orders", 10, 0).at(6s).phase(Phase::teardown);
  expect_failed(
      judged(entry, builder),
      "1 new connection accepted and answered after GOAWAY, first storefront->orders connection 3 500 ms "
      "after the signal",
      {accepted.value, answered.value});
}

TEST(GracefulShutdownTest, ExitsInTimeWithItsCode) {
  const auto wrong = judged(entry, drain({.code = 1}));
  EXPECT_EQ(wrong.actual, "exited with code 1 400 ms after the signal");
  const auto late = judged(entry, drain({.exit = 5500ms}));
  EXPECT_EQ(late.actual, "exited with code 0 3.5 s after the signal");
  const auto never = judged(entry, drain({.exit = std::nullopt}));
  EXPECT_EQ(never.actual, "still running 3s after the signal");
  EXPECT_EQ(numbers(never), Evidence{1});
  for (const auto& result : {wrong, late, never}) EXPECT_EQ(result.verdict, Verdict::failed);
}

TEST(GracefulShutdownTest, AServiceThatJustDiesFailsOnEveryRule) {
  HistoryBuilder builder = until_signal();
  builder.at(2001ms).end_as(edge, 1, 3, Ending::connection_lost).close(edge, 1, Peer::upstream, true);
  builder.exit("orders", 10, {}, SIGTERM).at(2050ms).health("orders", HealthStatus::unreachable);
  builder.at(6s).phase(Phase::teardown);
  const auto result = judged(entry, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "health `readiness` never said NOT_SERVING; 1 of 1 connection without GOAWAY NO_ERROR, first "
            "storefront->orders connection 1; 1 of 1 accepted call not finished, first: storefront->orders "
            "connection 1 stream 3 lost its connection; was ended by SIGTERM 1 ms after the signal");
}

TEST(GracefulShutdownTest, IsNotDecidedBeforeItsTimeAndNotWithoutAProcess) {
  HistoryBuilder builder = until_signal();
  builder.at(2050ms).health("orders", HealthStatus::not_serving).at(2100ms).goaway(edge, 1, 3);
  const auto early = judged(entry, builder);
  EXPECT_EQ(early.verdict, Verdict::inconclusive);
  EXPECT_EQ(early.reason, "the window closed before 3s were over");
  const auto other =
      judged(R"({"check": "graceful_shutdown", "service": "inventory", "within": "3s"})", drain());
  EXPECT_EQ(other.reason, "no process of inventory ran when the window began");
}

TEST(GracefulShutdownTest, UnaskedHealthLeavesItUndecided) {
  const auto result = judged(
      R"({"check": "graceful_shutdown", "service": "orders", "within": "3s", "after": "term", "probe": "liveness"})",
      drain());
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "health `liveness` was never asked");
}

}  // namespace
}  // namespace breakwire::checks
