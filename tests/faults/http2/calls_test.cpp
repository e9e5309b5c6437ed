// What faults do to single calls, frame by frame.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::FrameKind;
using faults::Stage;

const faults::Metadata bad_gateway{{":status", "502"}, {"content-type", "text/html"}};

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

TEST(ResetTest, RefusedStreamIsSaidOfACallThatNeverLeft) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::ResetStream{Http2Error::refused_stream});
  wire.client(Wire::request(1, true));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::refused_stream));
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].reset, Http2Error::refused_stream);
}

TEST(HoldTest, ACancelOfACallThatNeverLeftIsAbsorbed) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1) + Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));  // in advance
  wire.client(Wire::reset(1, Http2Error::cancel));
  EXPECT_EQ(wire.to_client(), "");  // and not twice
  wire.clear("hang");
  wire.server(Wire::window_update(0, 1));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 1));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::reset_by_downstream);
  EXPECT_EQ(ended[0].times.forwarded, std::nullopt);
  // The next one takes the id above: 1 was never opened upstream.
  wire.host.rule = {};
  wire.client(Wire::request(3, true));
  EXPECT_EQ(parse_frame_header(bytes_of(wire.to_server()).data()).stream, 3u);
}

TEST(HoldTest, AHeldResponseIsToldAtOnceAndAgainWhenItLeaves) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.to_server();
  const std::string response = Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")) +
                               Wire::headers(1, {{"grpc-status", "5"}}, true);
  const Instant received = wire.now;
  wire.server(response);
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_TRUE(wire.session.holds_output(Side::downstream));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].status, StatusCode::not_found);
  EXPECT_EQ(ended[0].times.forwarded, std::nullopt);
  EXPECT_EQ(wire.seen<faults::ResponseStarted>()[0].times.forwarded, std::nullopt);
  wire.now += 3s;
  wire.clear("hang");
  EXPECT_EQ(wire.to_client(), response);
  const auto forwarded = wire.seen<faults::Forwarded>();
  ASSERT_EQ(forwarded.size(), 2u);
  EXPECT_EQ(forwarded[0].frame, FrameKind::response_started);
  EXPECT_EQ(forwarded[1].frame, FrameKind::call_ended);
  EXPECT_EQ(forwarded[1].at, wire.now);
  const auto messages = wire.seen<faults::MessageSeen>();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].times, (faults::FrameTimes{received, wire.now}));
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 1u);
}

TEST(HoldTest, TheUpstreamsResetWaitsBehindAHeldResponse) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_end, faults::Hold{}, "hang");
  wire.client(Wire::request(1));
  wire.to_server();
  wire.server(answer(1, 4) + Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.to_client(), "");
  // Nobody upstream wants the rest of the request any more.
  wire.client(Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5) + Wire::window_update(1, 5));
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("hang");
  EXPECT_EQ(wire.to_client(), answer(1, 4) + Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.seen<faults::Forwarded>().size(), 1u);
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(HoldTest, AtTheRequestsEndOnlyEndStreamWaits) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::request_end, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true) + Wire::request(3) + Wire::data(3, grpc_message("x"), true));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::request(3) + Wire::data(3, grpc_message("x")));
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::data(1, "", true) + Wire::data(3, "", true));
}

TEST(HoldTest, HeldDataDoesNotStarveOtherCalls) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    return reached.call->method == "s/Held" && reached.stage == Stage::headers
               ? ruling(faults::Hold{}, "hang")
               : faults::Ruling{};
  };
  const std::string big(60'000, 'h');  // nearly all of the connection's 65535
  const int32_t held = world.client.request(request_fields("s/Held"), grpc_message(big));
  world.run();
  for (int i = 0; i < 5; ++i) {
    const std::string body = grpc_message(std::string(200'000, 'f'));
    const int32_t free = world.client.request(request_fields("s/Free"), body);
    world.run();
    EXPECT_TRUE(world.client.streams[free].body == body);
  }
  world.session.fault_cleared({"hang"}, world.now);
  world.deliver();
  world.run();
  EXPECT_TRUE(world.client.streams[held].body == grpc_message(big));
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

TEST(HoldTest, AtReleaseTheStreamLimitThenInForceIsObeyed) {
  World world;
  world.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::headers ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  std::vector<int32_t> arrived;
  world.server.on_request = [&](int32_t id) { arrived.push_back(id); };
  for (int i = 0; i < 3; ++i) world.client.request(request_fields("s/M"), grpc_message("x"));
  world.run();
  world.server.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}});
  world.run();
  world.session.fault_cleared({"hang"}, world.now);
  world.deliver();
  world.run();
  for (size_t done = 1; done <= 3; ++done) {
    ASSERT_EQ(arrived.size(), done);
    world.server.respond(arrived.back(), response_fields(), grpc_message("y"), ok_trailers());
    world.run();
  }
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.session.live_calls(), 0u);
}

TEST(WithholdTest, ClearedBeforeTheResponseItChangesNothing) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::WithholdResponse{}, "lose");
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.clear("lose");
  wire.server(answer(1, 0));
  EXPECT_EQ(wire.to_client(), answer(1, 0));
}

TEST(WithholdTest, ClearedAfterPartOfTheResponseTheCallerGetsUnavailable) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::WithholdResponse{}, "lose");
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")));
  wire.clear("lose");
  wire.server(Wire::headers(1, {{"grpc-status", "0"}}, true));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::unavailable);
  EXPECT_EQ(ended[0].fault.text, "lose");
  // What the service did is still on record.
  ASSERT_EQ(wire.seen<faults::MessageSeen>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::MessageSeen>()[0].times.forwarded, std::nullopt);
}

TEST(WithholdTest, TheFaultAlsoDecidesWhenTheUpstreamResets) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage == Stage::headers) return ruling(faults::WithholdResponse{}, "lose");
    if (reached.stage == Stage::response_end) return ruling(faults::ResetConnection{}, "lose");
    return faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.server(Wire::reset(1, Http2Error::internal_error));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_TRUE(wire.session.demand()->reset);
  EXPECT_EQ(wire.session.demand()->fault.text, "lose");
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].how, Ending::ended_by_fault);
}

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

TEST(FieldTest, NeverIndexedFieldsStaySoAfterRewriting) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::EndCall{}) : faults::Ruling{};
  };
  const faults::Metadata fields = request_fields(
      "s/M", {{"authorization", "secret", true}, {"x-open", "seen"}, {"x-twice", "a"}, {"x-twice", "b"}});
  world.client.request(fields, "");  // answered here: from now on blocks are rewritten
  world.client.request(fields, "");
  world.run();
  EXPECT_EQ(world.server.streams[3].fields, fields);
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

TEST(PaddingTest, IsKept) {
  Wire wire;
  wire.begin();
  const std::string padded = frame(FrameType::data, flag::padded | flag::end_stream, 1,
                                   hex("03") + grpc_message("x") + hex("000000"));
  wire.client(Wire::request(1) + padded);
  EXPECT_EQ(wire.to_server(), Wire::request(1) + padded);
}

TEST(DataTest, IsCutToTheReceiversFrameSize) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::data(1, std::string(40'000, 'x'), true));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, std::string(16'384, 'x')) +
                                  Wire::data(1, std::string(16'384, 'x')) +
                                  Wire::data(1, std::string(7'232, 'x'), true));
}

}  // namespace
}  // namespace breakwire::http2::testing
