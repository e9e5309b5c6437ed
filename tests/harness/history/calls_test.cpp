// Streams become attempts; what a caller makes of their endings.
#include "harness/history/calls.h"

#include <gtest/gtest.h>

#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

using faults::Ending;
const EdgeId edge{"storefront->orders"};

struct OutcomeCase {
  std::string name;
  Ending how;
  std::optional<Http2Error> reset;
  std::optional<StatusCode> status;
  Duration ended = 10ms;
  StatusCode outcome;
};
class OutcomeTest : public testing::TestWithParam<OutcomeCase> {};

TEST(SeenByCallerTest, AnAnswerThatNeverLeftTheRelayIsALostConnection) {
  Attempt attempt;
  attempt.received = t0;
  attempt.end =
      Attempt::End{.event = {1}, .how = Ending::trailers, .status = StatusCode::ok, .received = t0 + 10ms};
  EXPECT_EQ(attempt.seen_by_caller(), StatusCode::ok) << "it may still be on its way";
  attempt.connection_ended = t0 + 20ms;
  EXPECT_EQ(attempt.seen_by_caller(), StatusCode::unavailable);
  EXPECT_EQ(attempt.outcome(), StatusCode::ok) << "of the service";
  attempt.end->forwarded = t0 + 15ms;
  EXPECT_EQ(attempt.seen_by_caller(), StatusCode::ok);
  attempt.end = Attempt::End{
      .event = {1}, .how = Ending::reset_by_downstream, .reset = Http2Error::cancel, .received = t0 + 10ms};
  EXPECT_EQ(attempt.seen_by_caller(), StatusCode::cancelled) << "the caller knew at once";
}

TEST_P(OutcomeTest, IsWhatAGrpcClientMakesOfTheEnding) {
  Attempt attempt;
  attempt.received = t0;
  attempt.timeout = 100ms;
  attempt.end = Attempt::End{.event = {1},
                             .how = GetParam().how,
                             .status = GetParam().status,
                             .reset = GetParam().reset,
                             .received = t0 + GetParam().ended,
                             .forwarded = {},
                             .fault = {}};
  EXPECT_EQ(attempt.outcome(), GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Endings, OutcomeTest,
    testing::Values(
        OutcomeCase{"Trailers", Ending::trailers, {}, StatusCode::not_found, 10ms, StatusCode::not_found},
        OutcomeCase{"NoStatus", Ending::trailers, {}, {}, 10ms, StatusCode::unknown},
        OutcomeCase{"CallerGaveUpAtItsDeadline",
                    Ending::reset_by_downstream,
                    Http2Error::cancel,
                    {},
                    99ms,
                    StatusCode::deadline_exceeded},
        OutcomeCase{"CallerCancelled",
                    Ending::reset_by_downstream,
                    Http2Error::cancel,
                    {},
                    10ms,
                    StatusCode::cancelled},
        OutcomeCase{"Refused",
                    Ending::reset_by_upstream,
                    Http2Error::refused_stream,
                    {},
                    10ms,
                    StatusCode::unavailable},
        OutcomeCase{"Calm",
                    Ending::reset_by_upstream,
                    Http2Error::enhance_your_calm,
                    {},
                    10ms,
                    StatusCode::resource_exhausted},
        OutcomeCase{"ProtocolError",
                    Ending::reset_by_upstream,
                    Http2Error::protocol_error,
                    {},
                    10ms,
                    StatusCode::internal},
        OutcomeCase{"ConnectionLost", Ending::connection_lost, {}, {}, 10ms, StatusCode::unavailable},
        OutcomeCase{
            "AnsweredByAFault", Ending::ended_by_fault, {}, StatusCode::aborted, 10ms, StatusCode::aborted},
        OutcomeCase{"CutByAFault", Ending::ended_by_fault, {}, {}, 10ms, StatusCode::unavailable},
        OutcomeCase{"RefusedByGoaway", Ending::refused_by_goaway, {}, {}, 10ms, StatusCode::unavailable}),
    [](const auto& each) { return each.param.name; });

TEST(CallsTest, HttpStatusSpeaksWhereGrpcStatusIsMissing) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1);
  faults::ResponseStarted response;
  response.edge = edge;
  response.connection = {1};
  response.stream = 1;
  response.times = {builder.now(), builder.now()};
  response.http_status = 502;
  builder.add(response).end_as("storefront->orders", 1, 1, Ending::trailers);
  EXPECT_EQ(Calls(builder.history()).attempts(edge).at(0)->outcome(), StatusCode::unavailable);
}

TEST(CallsTest, ForwardedTimesThatCameLaterAreFilledIn) {
  HistoryBuilder builder;
  builder.at(1ms).start("storefront->orders", 1, 1, {.held = true});
  builder.at(5ms).forwarded("storefront->orders", 1, 1, faults::FrameKind::call_started);
  builder.at(7ms).end_as("storefront->orders", 1, 1, Ending::trailers, {}, false);
  {
    const Calls calls(builder.history());
    const Attempt& attempt = *calls.attempts(edge).at(0);
    EXPECT_EQ(attempt.received, t0 + 1ms);
    EXPECT_EQ(attempt.forwarded, t0 + 5ms);
    EXPECT_EQ(attempt.ended_at(), std::nullopt) << "the caller has not seen the trailers";
  }
  builder.at(9ms).forwarded("storefront->orders", 1, 1, faults::FrameKind::call_ended);
  EXPECT_EQ(Calls(builder.history()).attempts(edge).at(0)->ended_at(), t0 + 9ms);
}

TEST(CallsTest, AnAnswerThatNeverLeftTheRelayIsOverWithItsConnection) {
  HistoryBuilder builder;
  builder.at(1ms).start("storefront->orders", 1, 1);
  builder.at(2ms).end_as("storefront->orders", 1, 1, Ending::trailers, {}, false);
  builder.at(8ms).close("storefront->orders", 1, faults::Peer::downstream);
  EXPECT_EQ(Calls(builder.history()).attempts(edge).at(0)->ended_at(), t0 + 8ms);
}

TEST(CallsTest, WhoGivesUpAnAnswerThatIsStillInsideTheRelayHasNotGotIt) {
  const auto given_up = [](bool later_forwarded) {
    HistoryBuilder builder;
    builder.start("storefront->orders", 1, 1, {.timeout = 300ms});
    builder.at(20ms).end_as("storefront->orders", 1, 1, Ending::trailers, {}, false);
    builder.at(300ms).give_up("storefront->orders", 1, 1);
    if (later_forwarded)
      builder.at(1020ms).forwarded("storefront->orders", 1, 1, faults::FrameKind::call_ended);
    builder.at(2s).close("storefront->orders", 1, faults::Peer::downstream);
    const Calls calls(builder.history());
    const Attempt& attempt = *calls.attempts(edge).at(0);
    EXPECT_EQ(attempt.seen_by_caller(), StatusCode::deadline_exceeded);
    EXPECT_EQ(attempt.ended_at(), t0 + 300ms);
    EXPECT_NE(attempt.outcome(), StatusCode::deadline_exceeded) << "the service answered in time";
  };
  given_up(false);
  given_up(true);
}

TEST(CallsTest, AResetAfterTheAnswerHasReachedTheCallerGivesNothingUp) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1, {.timeout = 300ms});
  builder.at(20ms).end("storefront->orders", 1, 1);
  builder.at(30ms).give_up("storefront->orders", 1, 1, Http2Error::no_error);
  const Calls calls(builder.history());
  EXPECT_EQ(calls.attempts(edge).at(0)->seen_by_caller(), StatusCode::ok);
  EXPECT_EQ(calls.attempts(edge).at(0)->ended_at(), t0 + 20ms);
}

TEST(CallsTest, RemembersWhichFaultsActedOnAStream) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1).start("storefront->orders", 1, 3);
  builder.hit("slow", "storefront->orders", 1, 3).hit("slow", "storefront->orders", 1, 3);
  const Calls calls(builder.history());
  EXPECT_TRUE(calls.attempts(edge).at(0)->hit_by.empty());
  EXPECT_EQ(calls.attempts(edge).at(1)->hit_by, std::vector<FaultId>{{"slow"}});
}

TEST(CallsTest, InfrastructureIsNotACall) {
  HistoryBuilder builder;
  builder.start("storefront->orders", 1, 1, {.method = "grpc.health.v1.Health/Check"});
  const Calls calls(builder.history());
  EXPECT_TRUE(calls.attempts(edge).empty());
  EXPECT_EQ(calls.attempts_of_all_kinds(edge).size(), 1u);
}

TEST(CallsTest, JoinsWhatTheLoadIssuedWithHowItEnded) {
  HistoryBuilder builder;
  builder.at(1ms).issue(1).at(2ms).issue(2).at(4ms).done(1, StatusCode::unavailable);
  const Calls calls(builder.history());
  ASSERT_EQ(calls.load_calls({}).size(), 2u);
  const auto& first = *calls.load_calls(LoadId{"shoppers"}).at(0);
  EXPECT_EQ(first.done_at - first.issued_at, 3ms);
  EXPECT_EQ(first.done->status, StatusCode::unavailable);
  EXPECT_EQ(calls.load_calls({}).at(1)->done, nullptr);
  EXPECT_TRUE(calls.load_calls(LoadId{"other"}).empty());
}

TEST(CallsTest, WhatACallGetsInTheTeardownIsNotItsEnd) {
  HistoryBuilder b;
  b.phase(Phase::main).at(10ms).issue(1).issue(2).issue(3).at(20ms).done(1);
  b.at(30ms).done(2, StatusCode::unavailable).phase(Phase::teardown).at(31ms).done(3, StatusCode::cancelled);
  const Calls calls(b);
  ASSERT_EQ(calls.load_calls().size(), 3u);
  EXPECT_TRUE(calls.load_calls()[0].done);
  EXPECT_FALSE(calls.load_calls()[1].done) << "the same instant counts as after it";
  EXPECT_FALSE(calls.load_calls()[2].done);
}

}  // namespace
}  // namespace breakwire::history
