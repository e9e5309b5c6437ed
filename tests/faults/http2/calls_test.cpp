// What becomes of single calls, frame by frame: answered, reset, delayed, cut, and left alone.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::FrameKind;
using faults::Stage;

std::string answer(StreamId id, int status, bool trailers_only = true) {
  faults::Metadata fields = trailers_only ? response_fields() : faults::Metadata{};
  fields.push_back({"grpc-status", std::to_string(status)});
  return Wire::headers(id, fields, true);
}

TEST(EndCallTest, AnIncompleteRequestIsResetWithNoErrorAndItsDataCredited) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::EndCall{StatusCode::unavailable, "", {}});
  wire.client(Wire::request(1));
  EXPECT_EQ(wire.to_client(), answer(1, 14) + Wire::reset(1, Http2Error::no_error));
  wire.client(Wire::data(1, "hello", true));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
  EXPECT_EQ(wire.to_server(), "");
}

TEST(EndCallTest, IsNeverAskedForOfACallThatNoFaultConcerns) {
  for (const std::string unruled : {"", "s/M"}) {
    Wire wire;
    wire.begin();
    wire.fault(Stage::headers, faults::EndCall{StatusCode::unavailable, "", {}});
    wire.host.unruled = unruled;
    wire.client(Wire::request(1, true));
    EXPECT_EQ(wire.host.asked == 0, !unruled.empty());
    EXPECT_EQ(wire.to_server(), unruled.empty() ? "" : Wire::request(1, true));
  }
}

TEST(EndCallTest, AtAMessageTheMessagesBytesStayAndTheUpstreamIsCancelled) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::request_message && reached.message == 1
               ? ruling(faults::EndCall{StatusCode::aborted, "", {}})
               : faults::Ruling{};
  };
  wire.client(Wire::request(1) +
              Wire::data(1, grpc_message("one") + grpc_message("two") + grpc_message("three"), true));
  EXPECT_EQ(wire.to_server(),
            Wire::request(1) + Wire::data(1, grpc_message("one")) + Wire::reset(1, Http2Error::cancel));
  EXPECT_EQ(wire.to_client(), answer(1, 10) + Wire::window_update(0, 18));
  const auto messages = wire.seen<faults::MessageSeen>();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].size, 3u);
}

TEST(EndCallTest, ReplacesTheTrailersOfAResponse) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_end, faults::EndCall{StatusCode::data_loss, "gone", {}});
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")) +
              Wire::headers(1, {{"grpc-status", "0"}}, true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")) +
                                  Wire::headers(1, {{"grpc-status", "15"}, {"grpc-message", "gone"}}, true));
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));  // it had finished: there is nothing to reset
}

TEST(EndCallTest, TellsThePushbackOfTheTrailersWhoeverWroteThem) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1
               ? ruling(faults::EndCall{StatusCode::unavailable, "", {{"grpc-retry-pushback-ms", "250"}}})
               : faults::Ruling{};
  };
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.server(Wire::headers(3, {{"grpc-status", "14"}, {"grpc-retry-pushback-ms", "abc"}}, true));
  wire.server(Wire::headers(5, {{"grpc-status", "14"}}, true));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_EQ(ended[0].pushback_ms, 250);
  EXPECT_EQ(ended[1].pushback_ms, -1);
  EXPECT_EQ(ended[2].pushback_ms, std::nullopt);
}

TEST(EndCallTest, WaitsForTheUpstreamsSettings) {
  Wire wire;
  wire.fault(Stage::headers, faults::EndCall{StatusCode::unavailable, "", {}});
  wire.client(std::string(client_preface) + settings_frame() + Wire::request(1, true));
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_EQ(wire.seen<faults::FaultHit>().size(), 0u);
  wire.server(settings_frame());
  EXPECT_EQ(wire.to_client(), settings_frame() + answer(1, 14));
  EXPECT_EQ(wire.seen<faults::FaultHit>().size(), 1u);
}

TEST(EndCallTest, ComesAfterTheDelaysOfOtherFaults) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    faults::Ruling ruled = ruling(faults::EndCall{StatusCode::unavailable, "", {}}, "status");
    ruled.delay = 100ms;
    ruled.delayed_by = {{"slow"}};
    return reached.stage == Stage::headers ? ruled : faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  EXPECT_EQ(wire.session.next_due(), wire.now + 100ms);
  wire.now += 99ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_client(), "");
  wire.now += 1ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_client(), answer(1, 14));
  const auto hits = wire.seen<faults::FaultHit>();
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].action, "delay");
  EXPECT_EQ(hits[1].action, "end_call");
  EXPECT_EQ(hits[1].at, wire.now);
}

TEST(DelayTest, ACancelledCallLeavesNothingDue) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached&) {
    return faults::Ruling{.delay = 1h, .delayed_by = {{"slow"}}};
  };
  wire.client(Wire::request(1) + Wire::request(3));
  wire.client(Wire::reset(1, Http2Error::cancel));
  EXPECT_TRUE(wire.session.next_due());
  wire.client(Wire::reset(3, Http2Error::cancel));
  EXPECT_FALSE(wire.session.next_due());
}

faults::Ruling delayed(std::vector<std::pair<std::string, Duration>> delays) {
  faults::Ruling ruled;
  for (const auto& [by, delay] : delays) {
    ruled.delay += delay;
    ruled.delayed_by.push_back({by});
    ruled.delays.push_back(delay);
  }
  return ruled;
}

TEST(DelayTest, WhatAClearedFaultDelayedLeavesAtOnce) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::headers ? delayed({{"slow", 1h}}) : faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.clear("another");
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("slow");
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));
  EXPECT_FALSE(wire.session.next_due());
}

TEST(DelayTest, OfTwoDelaysThatOfTheFaultStillInForceRemains) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::headers ? delayed({{"slow", 1h}, {"slower", 100ms}}) : faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.clear("slow");
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.session.next_due(), wire.now + 100ms);
  wire.now += 100ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));
}

TEST(DelayTest, MessagesArePipelinedAndNeverOvertakeEachOther) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != Stage::request_message) return faults::Ruling{};
    const Duration delays[] = {100ms, 100ms, 1ms};  // the third would be there before the second
    return delayed({{"slow", delays[reached.message]}});
  };
  wire.client(Wire::request(1));
  EXPECT_EQ(wire.to_server(), Wire::request(1));
  const Instant start = wire.now;
  for (const char* text : {"one", "two", "three"}) {
    wire.client(Wire::data(1, grpc_message(text)));
    wire.now += 20ms;
  }
  EXPECT_EQ(wire.to_server(), "");
  const auto leaving_at = [&](Duration since_start) {
    wire.now = start + since_start;
    wire.session.advance(wire.now);
    return wire.to_server();
  };
  EXPECT_EQ(leaving_at(99ms), "");
  EXPECT_EQ(leaving_at(100ms), Wire::data(1, grpc_message("one")));
  EXPECT_EQ(leaving_at(119ms), "");
  EXPECT_EQ(leaving_at(120ms), Wire::data(1, grpc_message("two")) + Wire::data(1, grpc_message("three")));
}

struct ResetAtCase {
  std::string name;
  Stage stage;
  std::string to_server, to_client;
  friend void PrintTo(const ResetAtCase& one, std::ostream* out) { *out << one.name; }
};
class ResetAtTest : public ::testing::TestWithParam<ResetAtCase> {};

TEST_P(ResetAtTest, TheCallerGetsTheCodeAndTheUpstreamCancelIfItHasNotFinished) {
  Wire wire;
  wire.begin();
  wire.fault(GetParam().stage, faults::ResetStream{Http2Error::enhance_your_calm}, "torn");
  wire.client(Wire::request(1));
  wire.client(Wire::data(1, grpc_message("a")));
  wire.client(Wire::data(1, "", true));
  if (GetParam().stage >= Stage::response_headers) {  // else it has heard of no request, or of its end
    wire.server(Wire::headers(1, response_fields()));
    wire.server(Wire::data(1, grpc_message("b")));
    wire.server(Wire::headers(1, {{"grpc-status", "0"}}, true));
  }
  EXPECT_EQ(wire.to_server(), GetParam().to_server);
  EXPECT_EQ(wire.to_client(), GetParam().to_client);
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].reset, Http2Error::enhance_your_calm);
  EXPECT_EQ(ended[0].fault.text, "torn");
  EXPECT_EQ(ended[0].times.forwarded, wire.now);
  EXPECT_EQ(wire.session.live_calls(), 0u);
  EXPECT_EQ(wire.seen<faults::ProtocolViolation>().size(), 0u);
  // The connection goes on.
  wire.host.rule = {};
  wire.client(Wire::request(3, true));
  EXPECT_NE(wire.to_server(), "");
}

const std::string torn = Wire::reset(1, Http2Error::enhance_your_calm);
const std::string cancelled = Wire::reset(1, Http2Error::cancel);
const std::string credit = Wire::window_update(0, 6);
const std::string whole_request =
    Wire::request(1) + Wire::data(1, grpc_message("a")) + Wire::data(1, "", true);
INSTANTIATE_TEST_SUITE_P(
    All, ResetAtTest,
    ::testing::Values(
        ResetAtCase{"headers", Stage::headers, "", torn + credit},
        ResetAtCase{"request_message", Stage::request_message, Wire::request(1) + cancelled, torn + credit},
        ResetAtCase{"request_end", Stage::request_end,
                    Wire::request(1) + Wire::data(1, grpc_message("a")) + cancelled, torn},
        ResetAtCase{"response_headers", Stage::response_headers, whole_request + cancelled + credit, torn},
        ResetAtCase{"response_message", Stage::response_message, whole_request + cancelled + credit,
                    Wire::headers(1, response_fields()) + torn},
        ResetAtCase{"response_end", Stage::response_end, whole_request,
                    Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("b")) + torn}),
    [](const auto& tested) { return tested.param.name; });

TEST(ConnectionTest, CloseConnectionEndsEveryCallByTheFault) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.fault(Stage::response_headers, faults::CloseConnection{}, "cut");
  wire.server(Wire::headers(3, response_fields()));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_FALSE(wire.session.demand()->reset);
  EXPECT_EQ(wire.to_client(), "");
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[1].fault.text, "cut");
  EXPECT_EQ(wire.host.forgotten.size(), 2u);
}

TEST(ConnectionTest, CallsAreLostWhenBothSidesAreGoneOrOneResets) {
  Wire half;
  half.begin();
  half.client(Wire::request(1, true));
  half.session.peer_gone(Side::downstream, false, half.now);
  EXPECT_EQ(half.session.live_calls(), 1u);
  half.server(answer(1, 0));
  EXPECT_EQ(half.to_client(), answer(1, 0));
  half.client(Wire::request(3));
  half.session.peer_gone(Side::upstream, false, half.now);
  EXPECT_EQ(half.session.live_calls(), 0u);

  Wire reset;
  reset.begin();
  reset.client(Wire::request(1, true));
  reset.session.peer_gone(Side::upstream, true, reset.now);
  ASSERT_EQ(reset.seen<faults::CallEnded>().size(), 1u);
  EXPECT_EQ(reset.seen<faults::CallEnded>()[0].how, Ending::connection_lost);

  Wire by_fault;
  by_fault.begin();
  by_fault.client(Wire::request(1, true));
  by_fault.session.peer_gone(Side::upstream, true, by_fault.now, {"cut"});
  EXPECT_EQ(by_fault.seen<faults::CallEnded>()[0].how, Ending::ended_by_fault);
}

TEST(ResponseTest, ABalancersErrorPageIsUnavailableAndNoMessage) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1, true));
  const std::string page = Wire::headers(1, bad_gateway) + Wire::data(1, "<html>Bad Gateway</html>", true);
  wire.server(page);
  EXPECT_EQ(wire.to_client(), page);
  EXPECT_EQ(wire.seen<faults::ResponseStarted>()[0].http_status, 502);
  EXPECT_EQ(wire.seen<faults::MessageSeen>().size(), 0u);
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::trailers);
  EXPECT_EQ(ended[0].status, StatusCode::unavailable);
}

TEST(ResponseTest, AnInformationalResponseIsNotTheStart) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1, true));
  const std::string early = Wire::headers(1, {{":status", "103"}});
  wire.server(early + answer(1, 0));
  EXPECT_EQ(wire.to_client(), early + answer(1, 0));
  EXPECT_EQ(wire.seen<faults::ResponseStarted>().size(), 0u);
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].status, StatusCode::ok);
}

TEST(ResponseTest, AMessageIsSeenWhenItsLastByteLeaves) {
  Wire wire;
  wire.begin();
  const std::string message = Wire::data(1, grpc_message("hello"));
  wire.client(Wire::request(1) + message.substr(0, 16));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, grpc_message("hello").substr(0, 7)));
  EXPECT_EQ(wire.seen<faults::MessageSeen>().size(), 0u);
  wire.now += 5ms;
  wire.client(message.substr(16));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "llo"));
  const auto messages = wire.seen<faults::MessageSeen>();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].times, (faults::FrameTimes{wire.now, wire.now}));
}

TEST(ObservationTest, WhatLeavesLateIsToldInItsTurnAndAgainWhenWritten) {
  World world({.write_at_once = false});
  world.echo();
  world.client.request(request_fields("s/M"), "");
  world.run();
  EXPECT_EQ(world.host.all<faults::CallStarted>()[0].times.forwarded, std::nullopt);
  EXPECT_EQ(world.host.all<faults::Forwarded>().size(), 0u);
  world.now += 2s;
  world.session.written(Side::upstream, 1'000, world.now);
  const auto forwarded = world.host.all<faults::Forwarded>();
  ASSERT_EQ(forwarded.size(), 1u);
  EXPECT_EQ(forwarded[0].frame, FrameKind::call_started);
  EXPECT_EQ(forwarded[0].at, world.now);
}

}  // namespace
}  // namespace breakwire::http2::testing
