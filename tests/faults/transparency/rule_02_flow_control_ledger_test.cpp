// RELAY.md, rule 2: what the sender may send and what the receiver accepts, for the connection and for each
// stream; whatever the relay does to DATA is made good. The bookkeeping alone: ledgers_test.cpp.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;

/// Both windows of the upstream as wide as they get, and the client knows.
void open_wide(Wire& wire) {
  wire.server(setting(4, 0x7fffffff) + Wire::window_update(0, 0x7fffffff - default_window));
  wire.client(settings_ack);
  wire.to_client();
  wire.to_server();
}

/// The sum of the connection's increments among some frames.
uint64_t credit_in(const std::string& frames) {
  uint64_t sum = 0;
  for (size_t at = 0; at + frame_header_size <= frames.size();) {
    const FrameHeader header = parse_frame_header(bytes_of(frames).data() + at);
    const auto* payload = bytes_of(frames).data() + at + frame_header_size;
    if (header.type == FrameType::window_update && header.stream == 0) sum += read_u32(payload);
    at += frame_header_size + header.length;
  }
  return sum;
}

TEST(RelayRule02FlowControlLedger, SwallowedDataIsCreditedAtOnceAndToTheStreamIfItLives) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::WithholdResponse{}, "lose");
  wire.client(Wire::request(1));
  wire.to_server();
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 5) + Wire::window_update(1, 5));
  wire.client(Wire::reset(1, Http2Error::cancel));
  wire.to_server();
  wire.server(Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 5)) << "the stream is gone";
  EXPECT_EQ(wire.to_client(), "");
}

TEST(RelayRule02FlowControlLedger, ConnectionCreditIsAdvancedForHeldDataUpToAMebibyteAndThatIsTold) {
  Wire wire;
  wire.begin();
  open_wide(wire);
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1));
  uint64_t advanced = 0;
  for (int i = 0; i < 63; ++i) {
    wire.client(Wire::data(1, std::string(16'384, 'x')));
    advanced += credit_in(wire.to_client());
  }
  EXPECT_EQ(advanced, 63u * 16'384);
  EXPECT_TRUE(wire.seen<faults::LimitReached>().empty());
  for (int i = 0; i < 64; ++i) {
    wire.client(Wire::data(1, std::string(16'384, 'x')));
    advanced += credit_in(wire.to_client());
  }
  EXPECT_EQ(advanced, 1u << 20);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "held_bytes");
  EXPECT_EQ(limits[0].by, faults::Peer::downstream);
  EXPECT_FALSE(wire.session.demand());
}

TEST(RelayRule02FlowControlLedger, TheReceiversIncrementsRepayTheAdvanceBeforeAnyIsForwarded) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1) + Wire::data(1, std::string(100, 'x')));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 100));
  wire.clear("hang");
  wire.server(Wire::window_update(0, 60) + Wire::window_update(1, 60));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 60)) << "of the stream nothing was advanced";
  wire.server(Wire::window_update(0, 60));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 20));
}

TEST(RelayRule02FlowControlLedger, InjectedDataNeedsRoomInTheStreamAndItsIncrementsAreNotForwarded) {
  Wire wire;
  wire.begin();
  wire.client(setting(4, 10));
  wire.server(settings_ack);
  wire.to_server();
  wire.to_client();
  const std::string page = "0123456789abcdefghijklmnopqrst";
  wire.fault(Stage::response_headers, faults::AnswerHttp{502, {}, page});
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, {{":status", "502"}}) + Wire::data(1, page.substr(0, 10)));
  wire.to_server();
  wire.client(Wire::window_update(1, 15));
  EXPECT_EQ(wire.to_client(), Wire::data(1, page.substr(10, 15)));
  wire.client(Wire::window_update(1, 5) + Wire::window_update(0, 30));
  EXPECT_EQ(wire.to_client(), Wire::data(1, page.substr(25), true));
  EXPECT_EQ(wire.to_server(), "") << "the upstream sent nothing of it";
  wire.client(Wire::window_update(0, 7));
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 7));
}

TEST(RelayRule02FlowControlLedger, InjectedDataNeedsRoomInTheConnectionToo) {
  Wire wire;
  wire.begin();
  wire.client(setting(4, 1'000'000));
  wire.server(settings_ack);
  wire.fault(Stage::headers, faults::AnswerHttp{502, {}, std::string(70'000, 'p')});
  wire.to_client();
  wire.client(Wire::request(1, true));
  const std::string head = Wire::headers(1, {{":status", "502"}});
  std::string expected = head;
  for (int i = 0; i < 3; ++i) expected += Wire::data(1, std::string(16'384, 'p'));
  expected += Wire::data(1, std::string(65'535 - 3 * 16'384, 'p'));
  EXPECT_EQ(wire.to_client(), expected);
  wire.client(Wire::window_update(0, 5'000));
  EXPECT_EQ(wire.to_client(), Wire::data(1, std::string(70'000 - 65'535, 'p'), true));
}

TEST(RelayRule02FlowControlLedger, DataIsWrittenOnlyWhileBothRoomsAllow) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  const std::string body(40'000, 'x');
  for (StreamId id : {1u, 3u}) wire.client(Wire::request(id) + Wire::data(id, body));  // on advanced credit
  wire.to_client();
  wire.clear("hang");
  const auto all = [&wire] {
    size_t octets = 0;
    const std::string frames = wire.to_server();
    for (size_t at = 0; at + frame_header_size <= frames.size();) {
      const FrameHeader header = parse_frame_header(bytes_of(frames).data() + at);
      if (header.type == FrameType::data) octets += header.length;
      at += frame_header_size + header.length;
    }
    return octets;
  };
  EXPECT_EQ(all(), 65'535u);
  wire.server(Wire::window_update(3, 60'000));
  EXPECT_EQ(all(), 0u) << "the connection's room is what lacks";
  wire.server(Wire::window_update(0, 10'000));
  EXPECT_EQ(all(), 10'000u);
  wire.server(Wire::window_update(0, 60'000));
  EXPECT_EQ(all(), 4'465u);
}

TEST(RelayRule02FlowControlLedger, WhatWasCreditedInAdvanceIsNotCreditedAgainWhenItIsThrownAway) {
  Wire padded;
  padded.begin();
  padded.fault(Stage::headers, faults::Hold{}, "hang");
  padded.client(Wire::request(1) +
                frame(FrameType::data, flag::padded, 1, hex("32") + "0123456789" + std::string(50, '\0')));
  EXPECT_EQ(padded.to_client(), Wire::window_update(0, 61));
  padded.server(setting(4, 20));
  padded.client(settings_ack);
  padded.to_client();
  padded.to_server();
  padded.clear("hang");
  EXPECT_EQ(padded.to_server(), Wire::request(1) + Wire::data(1, "0123456789"))
      << "there is no room for the padding";
  EXPECT_EQ(padded.to_client(), Wire::window_update(1, 51)) << "of the stream nothing was advanced";

  Wire cut;
  cut.begin();
  cut.host.rule = [](const faults::CallReached& reached) {
    faults::Ruling ruled;
    if (reached.stage != Stage::request_message) return ruled;
    ruled = ruling(faults::CutMessage{5}, "cut");
    if (!reached.early) {
      ruled.delay = 100ms;
      ruled.delayed_by = {{"slow"}};
      ruled.delays = {ruled.delay};
    }
    return ruled;
  };
  cut.client(Wire::request(1) + Wire::data(1, grpc_message(std::string(20, 'x'))));
  cut.to_server();
  EXPECT_EQ(cut.to_client(), Wire::window_update(0, 25));
  cut.now += 100ms;
  cut.session.advance(cut.now);
  EXPECT_EQ(cut.to_server(),
            Wire::data(1, grpc_message(std::string(20, 'x')).substr(0, 5)) + Wire::data(1, "", true));
  EXPECT_EQ(cut.to_client(), Wire::window_update(1, 20));
}

TEST(RelayRule02FlowControlLedger, PaddingOfSwallowedDataIsCreditedToo) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::reset(1, Http2Error::cancel));
  wire.to_server();
  wire.client(frame(FrameType::data, flag::padded, 1, hex("03") + "hello" + hex("000000")));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 9));
  EXPECT_EQ(wire.to_server(), "");
}

TEST(RelayRule02FlowControlLedger, UndisturbedIncrementsPassVerbatim) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::window_update(1, 100) + Wire::window_update(0, 200));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::window_update(1, 100) + Wire::window_update(0, 200));
  wire.server(Wire::window_update(1, 300) + Wire::window_update(0, 0));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 300) + Wire::window_update(0, 0));
}

TEST(RelayRule02FlowControlLedger, AfterAResetTheOtherWaysDataIsSwallowedAndCredited) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::reset(1, Http2Error::cancel));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::reset(1, Http2Error::cancel));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, "hello") + Wire::window_update(1, 5));
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 5));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::reset_by_downstream);
  EXPECT_EQ(ended[0].reset, Http2Error::cancel);
  EXPECT_EQ(ended[0].times.forwarded, wire.now);
}

TEST(RelayRule02FlowControlLedger, AFrameCutThroughIsSwallowedFromTheResetOn) {
  Wire wire;
  wire.begin();
  const std::string data = Wire::data(1, "0123456789");
  wire.client(Wire::request(1) + data.substr(0, 13));
  wire.server(Wire::reset(1, Http2Error::internal_error));
  wire.client(data.substr(13));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "0123"));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::internal_error) + Wire::window_update(0, 6));
}

TEST(RelayRule02FlowControlLedger, HeldDataDoesNotStarveOtherCalls) {
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

TEST(RelayRule02FlowControlLedger, PaddingIsKept) {
  Wire wire;
  wire.begin();
  const std::string padded = frame(FrameType::data, flag::padded | flag::end_stream, 1,
                                   hex("03") + grpc_message("x") + hex("000000"));
  wire.client(Wire::request(1) + padded);
  EXPECT_EQ(wire.to_server(), Wire::request(1) + padded);
}

TEST(RelayRule02FlowControlLedger, TenThousandCancelsMidDataLeakNoConnectionWindow) {
  World world({.limits = {.resets_per_second = 1'000'000}, .seed = 5});
  // Both ways have DATA under way when the client cancels.
  const std::string body = grpc_message(std::string(30'000, 'x'));
  world.server.on_headers = [&](int32_t id) {
    world.server.respond(id, response_fields(), body, ok_trailers());
  };
  for (int i = 0; i < 10'000; ++i) {
    const int32_t id = world.client.request(request_fields("s/M"), body);
    for (int step = 0; step < i % 7; ++step) world.step(step % 2 == 0 ? Side::downstream : Side::upstream);
    if (!world.client.streams[id].closed) world.client.reset(id, NGHTTP2_CANCEL);
    if (i % 50 == 0) {
      world.run();
      world.client.streams.clear();
      world.server.streams.clear();
    }
  }
  world.run();
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.session.live_calls(), 0u);
  // nghttp2 gives credit back when half of a window is used.
  EXPECT_GT(nghttp2_session_get_remote_window_size(world.client.native()), 65'535 / 2);
  EXPECT_GT(nghttp2_session_get_remote_window_size(world.server.native()), 65'535 / 2);
  const int32_t last = world.client.request(request_fields("s/M"), grpc_message(std::string(1'000'000, 'y')));
  world.run();
  EXPECT_TRUE(world.client.streams[last].body == body);
  EXPECT_EQ(world.client.streams[last].closed, 0u);
}

}  // namespace
}  // namespace breakwire::http2::testing
