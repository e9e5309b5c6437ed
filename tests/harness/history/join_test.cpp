// Attempts become calls, and a join that could be wrong says so.
#include <gtest/gtest.h>

#include "harness/history/calls.h"
#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

using By = Correlate::By;
using faults::Ending;
const char* const place = "storefront->orders";

HistoryBuilder with(By by, std::string key = {}) {
  HistoryBuilder builder;
  builder.correlate(place, {by, std::move(key)});
  return builder;
}

/// "1,3 5": stream ids of each call.
std::string shape(const Joined& joined) {
  std::string text;
  for (const auto& call : joined.calls) {
    if (!text.empty()) text += ' ';
    for (size_t i = 0; i < call.attempts.size(); ++i)
      text += (i ? "," : "") + std::to_string(call.attempts[i]->stream);
  }
  return text;
}
Joined join(const History& history, const Calls& calls) { return calls.join(history.setup().edges[1].id); }

TEST(JoinTest, ConsecutiveAttemptsOfOneTraceAreOneCall) {
  HistoryBuilder builder;
  builder.at(1ms).start(place, 1, 1, {.trace = 7}).start(place, 1, 3, {.trace = 8});
  builder.at(2ms).end(place, 1, 1, StatusCode::unavailable).end(place, 1, 3, StatusCode::unavailable);
  builder.at(3ms).start(place, 1, 5, {.trace = 8, .previous = 1});
  builder.at(4ms).start(place, 1, 7, {.trace = 7, .previous = 1}).end(place, 1, 7, StatusCode::unavailable);
  builder.at(5ms).start(place, 1, 9, {.trace = 7, .previous = 2});
  const Calls calls(builder.history());
  const Joined joined = join(builder, calls);
  EXPECT_EQ(shape(joined), "1,7,9 3,5");
  EXPECT_EQ(joined.ambiguous, 0u);
}

TEST(JoinTest, ParallelCallsWithoutTraceAreAmbiguous) {
  HistoryBuilder builder;
  builder.at(1ms).start(place, 1, 1).start(place, 1, 3);
  builder.at(2ms).end(place, 1, 1, StatusCode::unavailable).end(place, 1, 3, StatusCode::unavailable);
  builder.at(3ms).start(place, 1, 5, {.previous = 1});
  const Calls calls(builder.history());
  const Joined joined = join(builder, calls);
  EXPECT_EQ(joined.ambiguous, 1u);
  EXPECT_EQ(joined.ambiguous_attempts.at(0)->stream, 5u);
  EXPECT_NE(joined.why_ambiguous.find("any of 2 parallel calls"), std::string::npos) << joined.why_ambiguous;
}

TEST(JoinTest, OneCallAtATimeNeedsNoTrace) {
  HistoryBuilder builder;
  builder.at(1ms).start(place, 1, 1).at(2ms).end(place, 1, 1, StatusCode::unavailable);
  builder.at(3ms).start(place, 1, 3, {.previous = 1}).at(4ms).end(place, 1, 3);
  builder.at(5ms).start(place, 1, 5).at(6ms).end(place, 1, 5);
  const Calls calls(builder.history());
  EXPECT_EQ(shape(join(builder, calls)), "1,3 5");
  EXPECT_EQ(join(builder, calls).ambiguous, 0u);
}

TEST(JoinTest, ATransparentRetryFollowsTheRefusedAttempt) {
  HistoryBuilder builder;
  builder.at(1ms).start(place, 1, 1, {.trace = 7}).at(2ms).end_as(place, 1, 1, Ending::refused_by_goaway);
  builder.at(3ms).start(place, 2, 1, {.trace = 7}).at(4ms).end(place, 2, 1);
  const Calls calls(builder.history());
  EXPECT_EQ(shape(join(builder, calls)), "1,1");
  EXPECT_EQ(join(builder, calls).ambiguous, 0u);
}

TEST(JoinTest, AHandWrittenRetryIsAmbiguousUnlessTheEdgeSaysHowToJoin) {
  const auto tell = [](HistoryBuilder builder) {
    return builder.at(1ms)
        .start(place, 1, 1, {.trace = 7})
        .at(2ms)
        .end(place, 1, 1, StatusCode::unavailable)
        .at(3ms)
        .start(place, 1, 3, {.trace = 7});
  };
  const HistoryBuilder automatic = tell({});
  const Calls calls(automatic.history());
  EXPECT_EQ(join(automatic, calls).ambiguous, 1u);

  const HistoryBuilder trace = tell(with(By::trace));
  const Calls by_trace(trace.history());
  EXPECT_EQ(shape(join(trace, by_trace)), "1,3");
  EXPECT_EQ(join(trace, by_trace).by, By::trace);

  const HistoryBuilder header = tell(with(By::attempts_header));
  const Calls by_header(header.history());
  EXPECT_EQ(shape(join(header, by_header)), "1 3");
  EXPECT_EQ(join(header, by_header).ambiguous, 0u);
}

TEST(JoinTest, ACallerThatWasCalledAgainMakesANewCall) {
  HistoryBuilder builder;
  builder.at(1ms).start("client->storefront", 5, 1, {.trace = 7});
  builder.at(2ms).start(place, 1, 1, {.trace = 7}).at(3ms).end(place, 1, 1, StatusCode::unavailable);
  builder.at(4ms).end("client->storefront", 5, 1, StatusCode::unavailable);
  builder.at(5ms).start("client->storefront", 5, 3, {.trace = 7, .previous = 1});
  builder.at(6ms).start(place, 1, 3, {.trace = 7}).at(7ms).end(place, 1, 3, StatusCode::unavailable);
  builder.at(8ms).start(place, 1, 5, {.trace = 7, .previous = 1});
  const Calls calls(builder.history());
  EXPECT_EQ(shape(join(builder, calls)), "1 3,5");
  EXPECT_EQ(join(builder, calls).ambiguous, 0u);
}

TEST(JoinTest, AnAttemptWhoseFirstOnesNeverReachedTheWireIsACallOfItsOwn) {
  HistoryBuilder builder;
  builder.start(place, 1, 1, {.trace = 7, .previous = 2});
  const Calls calls(builder.history());
  EXPECT_EQ(shape(join(builder, calls)), "1");
  EXPECT_EQ(join(builder, calls).ambiguous, 0u);
}

TEST(JoinTest, AHedgedAttemptJoinsTheCallThatIsStillRunning) {
  HistoryBuilder builder;
  builder.at(1ms).start(place, 1, 1, {.trace = 7}).at(5ms).start(place, 1, 3, {.trace = 7, .previous = 1});
  const Calls calls(builder.history());
  EXPECT_EQ(shape(join(builder, calls)), "1,3");
}

TEST(JoinTest, ByTraceNeedsATrace) {
  HistoryBuilder builder = with(By::trace);
  builder.start(place, 1, 1);
  const Calls calls(builder.history());
  EXPECT_EQ(join(builder, calls).ambiguous, 1u);
}

TEST(JoinTest, ByMetadataOneValueIsOneCallAndNoValueIsAmbiguous) {
  for (const bool known : {true, false}) {
    HistoryBuilder builder = with(By::metadata, "x-request-id");
    faults::CallStarted call;
    call.edge = {place};
    call.connection = {1};
    call.correlation = known ? "request-1" : "";
    for (StreamId stream : {1u, 3u}) {
      call.stream = stream;
      builder.add(call);
    }
    const Calls calls(builder.history());
    EXPECT_EQ(shape(join(builder, calls)), known ? "1,3" : "1 3");
    EXPECT_EQ(join(builder, calls).ambiguous, known ? 0u : 2u);
  }
}

TEST(JoinTest, SerialGivesAttemptsToTheOneOpenCallOfTheLoad) {
  HistoryBuilder builder = with(By::serial);
  builder.at(1ms).issue(1).at(2ms).start(place, 1, 1).at(3ms).start(place, 1, 3).at(4ms).done(1);
  builder.at(5ms).issue(2).at(6ms).start(place, 1, 5);
  const Calls calls(builder.history());
  EXPECT_EQ(shape(join(builder, calls)), "1,3 5");
  EXPECT_EQ(join(builder, calls).ambiguous, 0u);

  builder.at(7ms).issue(3).at(8ms).start(place, 1, 7);
  const Calls overlapping(builder.history());
  EXPECT_EQ(join(builder, overlapping).ambiguous, 1u) << "calls 2 and 3 were both open";
}

}  // namespace
}  // namespace breakwire::history
