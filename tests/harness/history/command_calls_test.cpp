// The calls of a load that is a command are what its edge shows of them.
#include <gtest/gtest.h>

#include "harness/history/calls.h"
#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

using faults::Ending;
constexpr const char* edge = "client->storefront";
constexpr const char* method = "shop.v1.StorefrontService/PlaceOrder";

/// The shop, with a command `mine` on the client's edge, alone or beside `shoppers`.
Setup with_command(std::optional<Duration> stopped_after = {}, bool alone = true) {
  Setup setup = HistoryBuilder::shop();
  if (alone) setup.loads.clear();
  setup.loads.push_back({.id = {"mine"}, .via = {edge}, .stopped_after = stopped_after});
  return setup;
}

HistoryBuilder begun(Setup setup) {
  HistoryBuilder h(std::move(setup));
  h.at(0ms).phase(Phase::baseline).add(LoadBegan{.load = {"mine"}});
  return h;
}

TEST(CommandCallsTest, ACallIsIssuedAndDoneWhenTheWireSaysSo) {
  auto h = begun(with_command());
  h.at(100ms).start(edge, 1, 1, {.method = method, .timeout = 500ms, .trace = 7});
  const EventNumber started = h.number();
  h.at(130ms).end(edge, 1, 1, StatusCode::not_found, "no such order");
  const Calls calls(h);
  ASSERT_EQ(calls.load_calls().size(), 1u);
  const auto& call = calls.load_calls().front();
  EXPECT_EQ(call.issued->load.text, "mine");
  EXPECT_EQ(call.issued->number, 1u);
  EXPECT_EQ(call.issued->call_id, "mine-1");
  EXPECT_EQ(call.issued->trace_id, HistoryBuilder::trace(7));
  EXPECT_EQ(call.issued->method, method);
  EXPECT_EQ(call.issued->deadline, t0 + 600ms);
  EXPECT_EQ(call.issued_event, started);
  EXPECT_EQ(call.issued_at, t0 + 100ms);
  EXPECT_EQ(call.issued->intended, t0 + 100ms);
  ASSERT_TRUE(call.done);
  EXPECT_EQ(call.done->status, StatusCode::not_found);
  EXPECT_EQ(call.done->message, "no such order");
  EXPECT_EQ(call.done->responses, 0u);
  EXPECT_EQ(call.done_event, h.number());
  EXPECT_EQ(call.done_at, t0 + 130ms);
}

TEST(CommandCallsTest, AttemptsOfOneCallAreOneCall) {
  auto h = begun(with_command());
  h.at(100ms)
      .start(edge, 1, 1, {.method = method, .trace = 7})
      .at(110ms)
      .end(edge, 1, 1, StatusCode::unavailable);
  h.at(150ms).start(edge, 1, 3, {.method = method, .trace = 7, .previous = 1}).at(170ms).end(edge, 1, 3);
  const Calls calls(h);
  ASSERT_EQ(calls.load_calls().size(), 1u);
  EXPECT_EQ(calls.load_calls()[0].issued_at, t0 + 100ms);
  EXPECT_EQ(calls.load_calls()[0].done_at, t0 + 170ms);
  EXPECT_EQ(calls.load_calls()[0].done->status, StatusCode::ok);
}

TEST(CommandCallsTest, ResponsesAreTheMessagesThatCameBack) {
  auto h = begun(with_command());
  h.at(100ms).start(edge, 1, 1, {.method = method});
  for (const auto direction :
       {faults::Direction::request, faults::Direction::response, faults::Direction::response}) {
    faults::MessageSeen message;
    message.edge = {edge};
    message.connection = {1};
    message.stream = 1;
    message.direction = direction;
    h.add(message);
  }
  h.at(130ms).end(edge, 1, 1);
  EXPECT_EQ(Calls(h).load_calls().at(0).done->responses, 2u);
}

TEST(CommandCallsTest, WhatAnotherLoadStampedIsNotTheCommands) {
  auto h = begun(with_command({}, false));
  h.at(50ms).start(edge, 2, 1, {.method = method, .trace = 2}).at(60ms).end(edge, 2, 1);
  h.at(100ms).issue(1);
  faults::CallStarted stamped;
  stamped.edge = {edge};
  stamped.connection = {1};
  stamped.stream = 1;
  stamped.times = {.received = t0 + 101ms, .forwarded = t0 + 101ms};
  stamped.method = method;
  stamped.call_id = "shoppers-1";
  h.at(101ms).add(stamped).at(120ms).end(edge, 1, 1).done(1);
  const Calls calls(h);
  EXPECT_EQ(calls.load_calls({"shoppers"}).size(), 1u);
  EXPECT_EQ(calls.load_calls({"mine"}).size(), 1u);
  ASSERT_EQ(calls.load_calls().size(), 2u);
  EXPECT_EQ(calls.load_calls()[0].issued->load.text, "mine") << "in the order they were issued";
}

TEST(CommandCallsTest, HealthChecksOfTheClientAreNoCalls) {
  auto h = begun(with_command());
  h.at(100ms).start(edge, 1, 1, {.method = "grpc.health.v1.Health/Check"}).end(edge, 1, 1);
  EXPECT_TRUE(Calls(h).load_calls().empty());
}

TEST(CommandCallsTest, WhatBreakwireCutOffIsLeftOut) {
  auto h = begun(with_command(1s));
  h.at(900ms);
  for (const StreamId stream : {1, 3, 5, 7, 9}) h.start(edge, 1, stream, {.method = method});
  h.at(950ms).end_as(edge, 1, 3, Ending::reset_by_downstream, Http2Error::cancel);  // of its own accord
  h.at(1010ms).end(edge, 1, 5);                                                     // answered all the same
  h.end_as(edge, 1, 7, Ending::reset_by_downstream, Http2Error::cancel);
  h.end(edge, 1, 9, StatusCode::unavailable, "Socket closed");  // the service saw its caller go first
  h.at(1020ms).end_as(edge, 1, 1, Ending::connection_lost);
  const Calls calls(h);
  ASSERT_EQ(calls.load_calls().size(), 2u);
  EXPECT_EQ(calls.load_calls()[0].done->status, StatusCode::cancelled);
  EXPECT_EQ(calls.load_calls()[1].done->status, StatusCode::ok);
}

TEST(CommandCallsTest, AnAnswerThatIsLateForItsDeadlineIsNone) {
  auto h = begun(with_command());
  // A fault holds the answers: one gets out in time, one after its caller's deadline, one never.
  h.at(100ms);
  for (const StreamId stream : {1, 3, 5}) h.start(edge, 1, stream, {.method = method, .timeout = 200ms});
  h.at(150ms);
  for (const StreamId stream : {1, 3, 5}) h.end_as(edge, 1, stream, Ending::trailers, {}, false);
  h.at(299ms).forwarded(edge, 1, 1, faults::FrameKind::call_ended);
  h.at(310ms).forwarded(edge, 1, 3, faults::FrameKind::call_ended);
  const Calls calls(h);
  ASSERT_EQ(calls.load_calls().size(), 3u);
  EXPECT_EQ(calls.load_calls()[0].done->status, StatusCode::unknown) << "trailers without a status";
  EXPECT_EQ(calls.load_calls()[0].done_at, t0 + 299ms);
  for (const size_t late : {1, 2}) {
    ASSERT_TRUE(calls.load_calls()[late].done);
    EXPECT_EQ(calls.load_calls()[late].done->status, StatusCode::deadline_exceeded);
    EXPECT_EQ(calls.load_calls()[late].done_at, t0 + 300ms);
  }
}

TEST(CommandCallsTest, AnAnswerThatNeverReachedItsCallerIsALostConnection) {
  auto h = begun(with_command());
  h.at(100ms).start(edge, 1, 1, {.method = method});
  h.at(150ms).end_as(edge, 1, 1, Ending::trailers, {}, false);
  EXPECT_FALSE(Calls(h).load_calls().at(0).done) << "it is still waited for";
  h.at(200ms).close(edge, 1, faults::Peer::downstream, true);
  const Calls calls(h);
  ASSERT_TRUE(calls.load_calls().at(0).done);
  EXPECT_EQ(calls.load_calls()[0].done->status, StatusCode::unavailable);
  EXPECT_EQ(calls.load_calls()[0].done_at, t0 + 200ms);
}

TEST(CommandCallsTest, ACallerThatGivesUpLateIsLate) {
  auto h = begun(with_command());
  h.at(100ms)
      .start(edge, 1, 1, {.method = method, .timeout = 200ms})
      .start(edge, 1, 3, {.method = method, .timeout = 200ms});
  h.at(500ms).end_as(edge, 1, 1, Ending::reset_by_downstream, Http2Error::cancel);
  const Calls calls(h);
  EXPECT_EQ(calls.load_calls().at(0).done->status, StatusCode::deadline_exceeded);
  EXPECT_EQ(calls.load_calls()[0].done_at, t0 + 500ms);
  EXPECT_FALSE(calls.load_calls().at(1).done) << "nobody has ended it";
}

TEST(CommandCallsTest, WhatEndsInTheTeardownHasNotEnded) {
  auto h = begun(with_command());
  h.at(900ms).start(edge, 1, 1, {.method = method}).at(1s).phase(Phase::teardown);
  h.start(edge, 1, 3, {.method = method}).at(1010ms).end(edge, 1, 1).end(edge, 1, 3);
  const Calls calls(h);
  ASSERT_EQ(calls.load_calls().size(), 1u);
  EXPECT_FALSE(calls.load_calls()[0].done);
}

TEST(CommandCallsTest, ACopyOutlivesWhatItWasCopiedFrom) {
  auto h = begun(with_command());
  h.at(100ms).start(edge, 1, 1, {.method = method}).at(130ms).end(edge, 1, 1);
  auto calls = std::make_unique<Calls>(h);
  const Calls copy = *calls;
  calls.reset();
  EXPECT_EQ(copy.load_calls().at(0).issued->call_id, "mine-1");
}

}  // namespace
}  // namespace breakwire::history
