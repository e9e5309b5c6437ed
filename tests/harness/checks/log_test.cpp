#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using history::LogSeen;

const std::string check = R"({"check": "log", "service": "orders"})";
constexpr const char* edge = "storefront->orders";
constexpr const char* method = "shop.v1.OrdersService/Place";
constexpr auto ok = StatusCode::ok;
constexpr auto late = StatusCode::deadline_exceeded;

/// A record as the service would write it.
struct Line {
  uint64_t trace = 0;  // 0: none
  std::string code = "OK";
  std::optional<Duration> duration = 20ms;
  std::string method = "shop.v1.OrdersService/Place";
  const char* service = "orders";
};

/// A history in which lines are written, beside all that the common builder can.
class LogBuilder : public HistoryBuilder {
 public:
  LogBuilder() { phase(Phase::main); }
  LogBuilder& at(Duration t) {
    HistoryBuilder::at(t);
    return *this;
  }
  LogBuilder& line(const Line& line) {
    LogSeen seen{
        .service = {line.service}, .method = line.method, .code = line.code, .duration = line.duration};
    seen.status = parse_status_code(line.code);
    if (line.trace) seen.trace_id = trace(line.trace);
    add(seen);
    return *this;
  }
  /// The call of trace n: it starts at n × 100 ms, on stream 2n + 1, and ends 20 ms later, or at `length`.
  LogBuilder& begin(uint64_t n, Start how = {}) {
    how.method = method;
    if (!how.trace) how.trace = n;
    at(100ms * n).start(edge, 1, stream(n), how);
    return *this;
  }
  LogBuilder& answer(uint64_t n, StatusCode status = ok, Duration length = 20ms) {
    at(100ms * n + length).end(edge, 1, stream(n), status);
    return *this;
  }
  LogBuilder& give_up(uint64_t n, Duration length = 80ms) {
    at(100ms * n + length)
        .end_as(edge, 1, stream(n), faults::Ending::reset_by_downstream, Http2Error::cancel);
    return *this;
  }
  LogBuilder& over() {
    at(9s).phase(Phase::teardown);
    return *this;
  }
  static StreamId stream(uint64_t n) { return static_cast<StreamId>(2 * n + 1); }
};

/// Three calls that were answered and logged: events 2 to 10, of the n-th 3n - 1 to 3n + 1.
LogBuilder three() {
  LogBuilder builder;
  for (uint64_t n = 1; n <= 3; ++n) builder.begin(n).answer(n).line({.trace = n});
  return builder;
}

TEST(LogTest, OneTrueRecordPerCallIsWhatIsAsked) {
  LogBuilder builder;
  builder.begin(1).answer(1).line({.trace = 1});
  builder.begin(2)
      .answer(2, StatusCode::failed_precondition)
      .line({.trace = 2, .code = "FAILED_PRECONDITION"});
  // Two attempts of one call share trace and method; their lines may come in any order.
  builder.begin(3).begin(4, {.trace = 3, .previous = 1}).answer(3, StatusCode::unavailable).answer(4);
  builder.line({.trace = 3, .code = "OK"}).line({.trace = 3, .code = "UNAVAILABLE", .duration = 25ms}).over();
  const auto result = judged(check, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 4u);
  EXPECT_EQ(result.actual, "4 calls to be logged");
}

TEST(LogTest, AMissingRecordIsTold) {
  LogBuilder builder = three();
  builder.begin(4).answer(4, StatusCode::not_found).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(
      result.actual,
      "4 calls to be logged; 1 without a record, first storefront->orders connection 1 stream 9 at 0.400 s "
      "(shop.v1.OrdersService/Place NOT_FOUND)");
  EXPECT_EQ(numbers(result), (Evidence{11, 12}));
}

TEST(LogTest, ARecordTooManyIsTold) {
  LogBuilder builder = three();
  builder.at(330ms).line({.trace = 3}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "3 calls to be logged; 1 record of no call, first shop.v1.OrdersService/Place OK at 0.330 s");
  EXPECT_EQ(numbers(result), Evidence{11});
}

TEST(LogTest, ARecordOfATraceThatNoCallHadIsTold) {
  LogBuilder builder = three();
  builder.line({.trace = 77}).over();
  EXPECT_EQ(judged(check, builder).verdict, Verdict::failed);
}

TEST(LogTest, AWrongCodeIsTold) {
  LogBuilder builder = three();
  builder.begin(4).answer(4, StatusCode::not_found).line({.trace = 4, .code = "OK"}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 with another code"), std::string::npos) << result.actual;
  EXPECT_NE(result.actual.find("(logged `OK`, the wire saw NOT_FOUND)"), std::string::npos) << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{11, 13}));
}

TEST(LogTest, ACodeThatIsNoneIsTold) {
  for (const char* code : {"", "FINE"}) {
    LogBuilder builder = three();
    builder.begin(4).answer(4).line({.trace = 4, .code = code}).over();
    const auto result = judged(check, builder);
    EXPECT_EQ(result.verdict, Verdict::failed);
    EXPECT_NE(result.actual.find("1 with another code"), std::string::npos) << result.actual;
  }
}

TEST(LogTest, AWrongMethodIsToldOnce) {
  LogBuilder builder = three();
  builder.begin(4).answer(4).line({.trace = 4, .method = "shop.v1.OrdersService/Cancel"}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "4 calls to be logged; 1 under another method, first storefront->orders connection 1 stream 9 at "
            "0.400 s "
            "(shop.v1.OrdersService/Place, logged as shop.v1.OrdersService/Cancel)");
}

TEST(LogTest, ARecordWithoutATraceIdIsToldOnce) {
  LogBuilder builder = three();
  builder.begin(4).answer(4).line({}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("4 calls to be logged; 1 without a trace id"), std::string::npos)
      << result.actual;
  EXPECT_EQ(result.actual.find("without a record"), std::string::npos) << result.actual;
  EXPECT_EQ(result.actual.find("of no call"), std::string::npos) << result.actual;
}

TEST(LogTest, ARecordWithoutADurationIsTold) {
  LogBuilder builder = three();
  builder.begin(4).answer(4).line({.trace = 4, .duration = std::nullopt}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 without a duration"), std::string::npos) << result.actual;
}

TEST(LogTest, DurationsAreComparedWithinATolerance) {
  const auto with = [](Duration logged) {
    LogBuilder builder;
    builder.begin(1).answer(1, ok, 300ms).line({.trace = 1, .duration = logged}).over();
    return judged(check, builder);
  };
  EXPECT_PASSED(with(201ms));
  EXPECT_PASSED(with(399ms));
  EXPECT_EQ(with(401ms).verdict, Verdict::failed);
  const auto seconds = with(300us);  // somebody wrote seconds
  EXPECT_EQ(seconds.verdict, Verdict::failed);
  EXPECT_NE(
      seconds.actual.find("1 with a duration that is off, first storefront->orders connection 1 stream 3 at "
                          "0.100 s (logged 0.3 ms, the wire took 300 ms)"),
      std::string::npos)
      << seconds.actual;
  EXPECT_EQ(numbers(seconds), (Evidence{2, 4}));
}

TEST(LogTest, OneDurationInTwentyMayBeOff) {
  LogBuilder builder;
  for (uint64_t n = 1; n <= 20; ++n)
    builder.begin(n).answer(n).line({.trace = n, .duration = n == 1 ? 1s : 20ms});
  EXPECT_PASSED(judged(check, builder.over()));
  EXPECT_EQ(judged(R"({"check": "log", "service": "orders", "late": "4%"})", builder).verdict,
            Verdict::failed);
}

TEST(LogTest, ACallThatItsCallerGaveUpIsCancelledOrOutOfTime) {
  for (const char* code : {"CANCELLED", "DEADLINE_EXCEEDED"}) {
    LogBuilder builder;
    builder.begin(1)
        .give_up(1)
        .line({.trace = 1, .code = code, .duration = 5s})
        .over();  // its handler went on
    EXPECT_PASSED(judged(check, builder));
  }
  LogBuilder lying;
  lying.begin(1).give_up(1).line({.trace = 1, .code = "OK", .duration = 80ms}).over();
  const auto result = judged(check, lying);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 of 1 given up with the code of an answer"), std::string::npos)
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{2, 4}));
}

/// Twenty calls given up 80 ms after they began, and the last logged as OK after `duration`.
LogBuilder crossed(Duration duration) {
  LogBuilder builder;
  for (uint64_t n = 1; n <= 19; ++n)
    builder.begin(n).give_up(n).line({.trace = n, .code = "CANCELLED", .duration = 80ms});
  builder.begin(20).give_up(20).line({.trace = 20, .code = "OK", .duration = duration}).over();
  return builder;
}

TEST(LogTest, AnAnswerMayCrossACancelNowAndThen) {
  EXPECT_PASSED(judged(check, crossed(80ms)));
  EXPECT_PASSED(judged(check, crossed(180ms)));
  const auto long_after = judged(check, crossed(181ms));
  EXPECT_EQ(long_after.verdict, Verdict::failed) << "that did not cross";
  EXPECT_NE(long_after.actual.find("1 with another code"), std::string::npos) << long_after.actual;
}

TEST(LogTest, CallsGivenUpAreNotLoggedAsAnsweredHoweverManyOthersThereAre) {
  LogBuilder builder;
  for (uint64_t n = 1; n <= 95; ++n) builder.begin(n).answer(n).line({.trace = n});
  for (uint64_t n = 96; n <= 100; ++n)
    builder.begin(n).give_up(n).line({.trace = n, .code = "OK", .duration = 80ms});
  builder.at(12s).phase(Phase::teardown);
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("; 5 of 5 given up with the code of an answer"), std::string::npos)
      << result.actual;
}

TEST(LogTest, ATimeoutThatWasAnsweredIsNoSuccess) {
  LogBuilder builder;
  for (uint64_t n = 1; n <= 30; ++n) builder.begin(n).answer(n).line({.trace = n});
  builder.begin(31).answer(31, late).line({.trace = 31, .code = "OK"}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("(logged `OK`, the wire saw DEADLINE_EXCEEDED)"), std::string::npos)
      << result.actual;
}

TEST(LogTest, OnlyAtTheDeadlineACancelMayStandForATimeout) {
  const auto with = [](Duration timeout) {
    LogBuilder builder;
    builder.begin(1, {.timeout = timeout}).answer(1, late, 200ms);
    builder.line({.trace = 1, .code = "CANCELLED", .duration = 200ms}).over();
    return judged(check, builder);
  };
  EXPECT_PASSED(with(200ms));
  EXPECT_PASSED(with(220ms));
  EXPECT_EQ(with(300ms).verdict, Verdict::failed);
}

TEST(LogTest, AnAnswerThatAFaultKeptUntilItWasGivenUpMayBeAny) {
  LogBuilder builder;
  builder.begin(1).hit("unheard", edge, 1, LogBuilder::stream(1));
  builder.give_up(1, 500ms).line({.trace = 1, .code = "OK", .duration = 5ms}).over();
  EXPECT_PASSED(judged(check, builder));
}

TEST(LogTest, AGivenUpCallWithoutARecordIsMissing) {
  LogBuilder builder = three();
  builder.begin(4).give_up(4).over();
  EXPECT_EQ(judged(check, builder).verdict, Verdict::failed);
}

TEST(LogTest, AServerNeedNotBeginACallThatIsGivenUpAtOnce) {
  LogBuilder builder = three();
  builder.begin(4).give_up(4, 40ms).over();
  const auto result = judged(check, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "3 calls to be logged; 1 call not asked for");
}

TEST(LogTest, AFrozenServerNeedNotBeginWhatIsGivenUpMeanwhile) {
  LogBuilder builder = three();
  builder.at(350ms).signal("orders", 7, SIGSTOP, "frozen");
  builder.begin(4).give_up(4).at(600ms).signal("orders", 7, SIGCONT, "frozen");
  // One that it did begin, with a clock that started late.
  builder.begin(5).answer(5, ok, 900ms).line({.trace = 5, .duration = 5ms}).over();
  EXPECT_PASSED(judged(check, builder));
}

TEST(LogTest, WhatAKilledProcessHadNotWrittenYetIsNotAsked) {
  LogBuilder builder = three();
  builder.at(0s).process("orders", 7);
  builder.begin(9).answer(9);
  builder.at(1s).signal("orders", 7, SIGKILL, "killed").exit("orders", 7, {}, SIGKILL);
  builder.over();
  EXPECT_PASSED(judged(check, builder));
}

TEST(LogTest, WhatAFaultCutIsLoggedWithAnyCode) {
  LogBuilder builder;
  builder.begin(1).at(200ms).end_as(edge, 1, LogBuilder::stream(1), faults::Ending::ended_by_fault);
  builder.line({.trace = 1, .code = "OK", .duration = 3ms}).over();
  EXPECT_PASSED(judged(check, builder));
  LogBuilder missing;
  missing.begin(1).at(200ms).end_as(edge, 1, LogBuilder::stream(1), faults::Ending::ended_by_fault);
  EXPECT_EQ(judged(check, missing.over()).verdict, Verdict::failed);
}

TEST(LogTest, WhatTheServiceNeverSawItNeedNotLog) {
  LogBuilder builder = three();
  builder.begin(4, {.held = true}).at(450ms);
  builder.end_as(edge, 1, LogBuilder::stream(4), faults::Ending::ended_by_fault);
  builder.over();
  EXPECT_PASSED(judged(check, builder));
}

TEST(LogTest, CallsWithoutATraceAreJoinedByTheirMethod) {
  LogBuilder builder;
  for (uint64_t n = 1; n <= 2; ++n) {
    builder.at(100ms * n).start(edge, 1, LogBuilder::stream(n), {.method = method});
    builder.answer(n).line({.trace = 50 + n});  // the service made one up
  }
  EXPECT_PASSED(judged(check, builder.over()));
  builder.at(8s).line({.trace = 60});
  EXPECT_EQ(judged(check, builder).verdict, Verdict::failed);
}

TEST(LogTest, HealthAndOtherServicesAreNobodysBusiness) {
  LogBuilder builder = three();
  builder.line({.trace = 9, .method = "grpc.health.v1.Health/Check"})
      .line({.trace = 9, .service = "inventory"});
  builder.at(400ms).start(edge, 1, 91, {.method = "grpc.health.v1.Health/Check"}).end(edge, 1, 91);
  builder.over();
  EXPECT_PASSED(judged(check, builder));
}

TEST(LogTest, TheWindowChoosesCallsByTheirBegin) {
  LogBuilder builder;
  builder.fault({.id = {"f"}, .on = edge});
  builder.begin(1).answer(1);  // not logged, before
  builder.at(150ms).arm("f").hit("f");
  builder.begin(2).answer(2).line({.trace = 2});
  builder.at(250ms).clear("f");
  builder.begin(3).answer(3).line({.trace = 3, .code = "INTERNAL"}).over();  // wrong, after
  const auto result = judged(R"({"check": "log", "service": "orders", "during": "f"})", builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 1u);
}

TEST(LogTest, CallsThatBreakwireItselfEndedAreNotAsked) {
  LogBuilder builder = three();
  builder.begin(4).over().at(10s).end_as(edge, 1, LogBuilder::stream(4), faults::Ending::connection_lost);
  EXPECT_PASSED(judged(check, builder));
}

TEST(LogTest, AFalseRecordIsRedThoughNoCallHadToBeLogged) {
  LogBuilder builder;
  builder.begin(1).give_up(1, 10ms).line({.trace = 77}).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("0 calls to be logged; 1 record of no call"), std::string::npos)
      << result.actual;
}

TEST(LogTest, WithoutCallsNothingIsProved) {
  EXPECT_EQ(judged(check, LogBuilder().over()).reason, "no call reached orders");
  LogBuilder builder;
  builder.begin(1).give_up(1, 10ms).over();
  const auto result = judged(check, builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no call that orders had to log began in the window");
}

}  // namespace
}  // namespace breakwire::checks
