// Control frames: end to end, whatever faults do to calls.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;

TEST(ControlTest, SettingsPassAndTheTableSizeIsCut) {
  Wire wire;
  wire.client(std::string(client_preface) + settings_frame(hex("0001 00010000 fe03 00000001 0001 00000800")));
  EXPECT_EQ(wire.to_server(),
            std::string(client_preface) + settings_frame(hex("0001 00001000 fe03 00000001 0001 00000800")));
  wire.server(settings_frame(hex("0003 00000064")) + frame(FrameType::settings, flag::ack, 0, ""));
  EXPECT_EQ(wire.to_client(),
            settings_frame(hex("0003 00000064")) + frame(FrameType::settings, flag::ack, 0, ""));
}

TEST(ControlTest, PingsOvertakeAHeldCall) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{});
  wire.client(Wire::request(1) + frame(FrameType::ping, 0, 0, hex("0000000000000009")));
  EXPECT_EQ(wire.to_server(), frame(FrameType::ping, 0, 0, hex("0000000000000009")));
  wire.server(frame(FrameType::ping, flag::ack, 0, hex("0000000000000009")));
  EXPECT_EQ(wire.to_client(), frame(FrameType::ping, flag::ack, 0, hex("0000000000000009")));
  const auto pings = wire.seen<faults::PingSeen>();
  ASSERT_EQ(pings.size(), 2u);
  EXPECT_EQ(pings[0].payload, 9u);
  EXPECT_FALSE(pings[0].ack);
  EXPECT_TRUE(pings[1].ack);
  EXPECT_EQ(pings[1].direction, faults::Direction::response);
  EXPECT_EQ(pings[1].times.forwarded, wire.now);
}

TEST(ControlTest, PriorityAndUnknownFramesAreDroppedAndCounted) {
  Wire wire;
  wire.begin();
  wire.client(frame(FrameType::priority, 0, 3, hex("00000000 10")) + frame(FrameType{0x10}, 0, 0, "u=1"));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.session.ignored_frames(), 2u);
}

TEST(ControlTest, WindowUpdatesPassVerbatimAndTwiceForARenumberedStream) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::window_update(1, 100) + Wire::window_update(0, 200));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::window_update(1, 100) + Wire::window_update(0, 200));
  wire.server(Wire::window_update(1, 300) + Wire::window_update(0, 0));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 300) + Wire::window_update(0, 0));
}

TEST(ControlTest, AnIncrementForAHeldStreamFollowsItsHeaders) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{});
  wire.client(Wire::request(1) + Wire::window_update(1, 100));
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("f");
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::window_update(1, 100));
}

TEST(GoawayTest, PassesVerbatimWhileIdsAreTheSame) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.server(Wire::goaway(max_stream_id) + Wire::goaway(3, Http2Error::enhance_your_calm, "too_many_pings"));
  EXPECT_EQ(wire.to_client(),
            Wire::goaway(max_stream_id) + Wire::goaway(3, Http2Error::enhance_your_calm, "too_many_pings"));
  const auto seen = wire.seen<faults::GoawaySeen>();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].last_stream, max_stream_id);
  EXPECT_EQ(seen[1].last_stream, 3u);
  EXPECT_EQ(seen[1].code, Http2Error::enhance_your_calm);
  EXPECT_EQ(seen[1].debug, "too_many_pings");
  EXPECT_EQ(seen[1].times.forwarded, wire.now);
  EXPECT_EQ(wire.session.live_calls(), 2u);
}

TEST(GoawayTest, RefusesACallThatWasHeldAndSaysWhy) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3));
  wire.to_server();
  wire.server(Wire::goaway(3));
  EXPECT_EQ(wire.to_client(), Wire::goaway(3) + Wire::reset(1, Http2Error::refused_stream));
  auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::refused_while_held);
  EXPECT_EQ(ended[0].fault.text, "hang");
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST(GoawayTest, TranslatesTheLastIdAndRefusesWhatIsAboveItUpstream) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3) + Wire::request(5));
  wire.clear("hang");             // 1 -> 7
  wire.client(Wire::request(7));  // -> 9
  wire.to_server();
  wire.server(Wire::goaway(5));
  // 3 and 5 may have been processed; 1 was not, though its id is below; 7 is above and needs no telling.
  EXPECT_EQ(wire.to_client(), Wire::goaway(5) + Wire::reset(1, Http2Error::refused_stream));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].stream, 1u);
  EXPECT_EQ(ended[0].how, Ending::refused_by_goaway);
  EXPECT_EQ(ended[1].stream, 7u);
  EXPECT_EQ(ended[1].how, Ending::refused_by_goaway);
  // The last id never rises.
  wire.server(Wire::goaway(9) + Wire::goaway(max_stream_id));
  EXPECT_EQ(wire.to_client(), Wire::goaway(5) + Wire::goaway(5));
}

TEST(GoawayTest, NeverCallsUnprocessedWhatTheRelayAnswered) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 5 ? ruling(faults::EndCall{}, "status") : faults::Ruling{};
  };
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.to_client();
  wire.server(Wire::goaway(1));
  EXPECT_EQ(wire.to_client(), Wire::goaway(5) + Wire::reset(3, Http2Error::refused_stream));
}

TEST(GoawayTest, LaterCallsAreDecodedDroppedAndCredited) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1));
  wire.to_server();
  wire.server(Wire::goaway(1));
  wire.to_client();
  wire.client(Wire::request(3) + Wire::data(3, "hello", true));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].stream, 3u);
  EXPECT_EQ(ended[0].how, Ending::refused_by_goaway);
  EXPECT_EQ(wire.seen<faults::CallStarted>().size(), 2u);
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST(GoawayTest, AClientsGoawayPassesAsItIs) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::goaway(0, Http2Error::no_error, "bye"));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::goaway(0, Http2Error::no_error, "bye"));
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST(ClosedStreamTest, ASecondEndStreamHeadersIsDecodedButNotForwarded) {
  // C-core's server does this after a deadline or a cancel; its encoder refers to its table ever after.
  Wire wire;
  wire.begin();
  FieldEncoder server_side(4096);
  FieldDecoder client_side;
  const auto block = [&](StreamId id, const faults::Metadata& fields) {
    std::string out;
    append_field_block(out, id, server_side.encode(fields), true, 16'384);
    return out;
  };
  const faults::Metadata deadline{
      {":status", "200"}, {"grpc-status", "4"}, {"grpc-message", "Deadline Exceeded"}};
  const faults::Metadata cancelled{{":status", "200"}, {"grpc-status", "1"}, {"x-late", "again and again"}};
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.server(block(1, deadline) + Wire::reset(1, Http2Error::no_error));
  wire.server(block(1, cancelled) + Wire::reset(1, Http2Error::no_error));
  wire.server(block(3, cancelled));
  wire.server(block(5, cancelled));
  const std::string bytes = wire.to_client();
  std::vector<faults::Metadata> got;
  for (size_t at = 0; at < bytes.size();) {
    const FrameHeader header = parse_frame_header(bytes_of(bytes).data() + at);
    ASSERT_EQ(header.type, FrameType::headers);
    const std::string_view fragment = std::string_view(bytes).substr(at + frame_header_size, header.length);
    ASSERT_EQ(client_side.decode({fragment}, 10'000, got.emplace_back()), FieldDecoder::Outcome::ok);
    at += frame_header_size + header.length;
  }
  EXPECT_EQ(got, (std::vector<faults::Metadata>{deadline, cancelled, cancelled}));
  EXPECT_FALSE(wire.session.demand());
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 3u);
}

TEST(ClosedStreamTest, AfterAResetTheOtherWaysDataIsSwallowedAndCredited) {
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

TEST(ClosedStreamTest, AFrameCutThroughIsSwallowedFromTheResetOn) {
  Wire wire;
  wire.begin();
  const std::string data = Wire::data(1, "0123456789");
  wire.client(Wire::request(1) + data.substr(0, 13));
  wire.server(Wire::reset(1, Http2Error::internal_error));
  wire.client(data.substr(13));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "0123"));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::internal_error) + Wire::window_update(0, 6));
}

TEST(FlowTest, TenThousandCancelsMidDataLeakNoConnectionWindow) {
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
