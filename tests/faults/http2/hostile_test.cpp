// Hostile and broken peers: named, bounded, and the end of the connection.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

std::string goaway_code(const std::string& output) {
  if (output.size() < 17) return "no GOAWAY";
  const std::string_view last = std::string_view(output).substr(output.size() - 17);
  if (last[3] != 7) return "no GOAWAY";
  return to_text(static_cast<Http2Error>(read_u32(bytes_of(last).data() + 13)));
}

TEST(LimitTest, AContinuationFlood) {
  Wire wire;
  wire.begin();
  std::string flood = frame(FrameType::headers, 0, 1, "");
  for (int i = 0; i < 1000; ++i) flood += frame(FrameType::continuation, 0, 1, "");
  wire.client(flood);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "continuations");
  EXPECT_EQ(limits[0].by, faults::Peer::downstream);
  ASSERT_TRUE(wire.session.demand());
  EXPECT_FALSE(wire.session.demand()->reset);
  EXPECT_EQ(goaway_code(wire.to_client()), "ENHANCE_YOUR_CALM");
  EXPECT_FALSE(wire.session.wants_input(Side::downstream));
}

TEST(LimitTest, AnHpackBomb) {
  Wire wire;
  wire.begin();
  std::string bomb =
      hex("40 01") + "x" + hex("7f a11e") + std::string(4000, 'v') + std::string(10'000, '\xbe');
  wire.client(frame(FrameType::headers, flag::end_headers, 1, bomb));
  ASSERT_EQ(wire.seen<faults::LimitReached>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::LimitReached>()[0].limit, "field_list_bytes");
  EXPECT_TRUE(wire.session.demand());
}

TEST(LimitTest, RapidReset) {
  Wire wire({.resets_per_second = 100});
  wire.begin();
  StreamId id = 1;
  for (int second = 0; second < 3; ++second) {
    for (int i = 0; i < 100; ++i, id += 2)
      wire.client(Wire::request(id, true) + Wire::reset(id, Http2Error::cancel));
    wire.now += 1s;
  }
  EXPECT_FALSE(wire.session.demand());
  for (int i = 0; i < 101; ++i, id += 2)
    wire.client(Wire::request(id, true) + Wire::reset(id, Http2Error::cancel));
  ASSERT_EQ(wire.seen<faults::LimitReached>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::LimitReached>()[0].limit, "resets_per_second");
  EXPECT_EQ(wire.session.live_calls(), 0u);
  EXPECT_EQ(wire.seen<faults::CallStarted>().size(), wire.seen<faults::CallEnded>().size());
}

struct IdleFloodCase {
  std::string name;
  std::string frame;
};
class IdleFloodTest : public ::testing::TestWithParam<IdleFloodCase> {};

TEST_P(IdleFloodTest, IsEndedWhenASecondHasTooManyFramesThatMoveNoCall) {
  Wire wire({.idle_frames_per_second = 100});
  wire.begin();
  wire.client(Wire::request(1));
  wire.now += 1s;  // the handshake's frames do not count any more
  for (int second = 0; second < 3; ++second) {
    for (int i = 0; i < 100; ++i) wire.client(GetParam().frame);
    wire.to_client();
    wire.to_server();
    wire.now += 1s;
  }
  EXPECT_FALSE(wire.session.demand());
  for (int i = 0; i < 101; ++i) wire.client(GetParam().frame);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "idle_frames_per_second");
  EXPECT_EQ(limits[0].by, faults::Peer::downstream);
  EXPECT_EQ(goaway_code(wire.to_client()), "ENHANCE_YOUR_CALM");
}

INSTANTIATE_TEST_SUITE_P(
    Frames, IdleFloodTest,
    ::testing::Values(IdleFloodCase{"ping", frame(FrameType::ping, 0, 0, "12345678")},
                      IdleFloodCase{"settings", settings_frame()},
                      IdleFloodCase{"settings_ack", frame(FrameType::settings, flag::ack, 0, "")},
                      IdleFloodCase{"priority", frame(FrameType::priority, 0, 1, hex("00000000 10"))},
                      IdleFloodCase{"unknown", frame(static_cast<FrameType>(0x99), 0, 0, "")},
                      IdleFloodCase{"empty_data", frame(FrameType::data, 0, 1, "")},
                      IdleFloodCase{"padding", frame(FrameType::data, flag::padded, 1, hex("02 0000"))}),
    [](const auto& one) { return one.param.name; });

TEST(LimitTest, TooManyParametersInOneSettings) {
  Wire wire;
  wire.begin();
  std::string parameters;
  for (int i = 0; i < 32; ++i) parameters += hex("0004 00010000");
  wire.server(settings_frame(parameters));
  EXPECT_TRUE(wire.seen<faults::LimitReached>().empty());
  wire.server(settings_frame(parameters + hex("0004 00010000")));
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "settings_parameters");
  EXPECT_EQ(limits[0].by, faults::Peer::upstream);
}

TEST(LimitTest, APeerThatMakesUsWriteAndNeverReads) {
  Wire wire({.queued_control_frames = 1000});
  wire.begin();
  // Each DATA on a closed stream has to be credited, towards the peer that sent it.
  wire.client(Wire::request(1) + Wire::reset(1, Http2Error::cancel));
  for (int i = 0; i < 2000 && !wire.session.demand(); ++i) wire.client(Wire::data(1, "x"));
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "queued_control_frames");
}

TEST(LimitTest, TooManyOpenStreams) {
  Wire wire({.open_streams = 10});
  wire.begin();
  for (StreamId id = 1; id <= 21; id += 2) wire.client(Wire::request(id));
  ASSERT_EQ(wire.seen<faults::LimitReached>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::LimitReached>()[0].limit, "open_streams");
}

/// Each request names a large field of the table many times: what it says is small, what is kept of it is
/// not.
TEST(LimitTest, ManyOpenCallsWhoseFieldsUnfold) {
  Wire wire({.open_calls_bytes = 1'000'000});
  wire.begin();
  const auto request = [](StreamId id, const std::string& more) {
    const std::string path = "s/M";
    return frame(FrameType::headers, flag::end_headers, id, encode_literally(request_fields(path)) + more);
  };
  wire.client(request(1, hex("40 01") + "x" + hex("7f a11e") + std::string(4000, 'v')));
  const std::string often(50, '\xbe');  // 200 KB
  wire.client(request(3, often) + request(5, often) + request(7, often) + request(9, often));
  EXPECT_FALSE(wire.session.demand());
  wire.client(Wire::reset(5, Http2Error::cancel) + request(11, often));
  EXPECT_FALSE(wire.session.demand());
  wire.client(request(13, often));
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "open_calls_bytes");
  EXPECT_EQ(limits[0].by, faults::Peer::downstream);
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(LimitTest, UnreadOutputStopsTheReadingOfTheOtherPeer) {
  Wire wire;
  wire.begin();
  wire.server(Wire::window_update(0, 10'000'000));
  wire.client(Wire::request(1));
  wire.server(Wire::window_update(1, 10'000'000));
  const std::string chunk(16'384, 'x');
  int chunks = 0;
  while (wire.session.wants_input(Side::downstream) && chunks < 1000) {
    wire.client(Wire::data(1, chunk));
    ++chunks;
  }
  EXPECT_EQ(chunks, 16);
  EXPECT_TRUE(wire.session.wants_input(Side::upstream));
  wire.to_server();
  EXPECT_TRUE(wire.session.wants_input(Side::downstream));
  EXPECT_FALSE(wire.session.demand());
}

TEST(LimitTest, HeldBytesBeyondTheBoundStopTheReading) {
  Wire wire({.queued_output_bytes = 100'000, .held_bytes = 50'000});
  wire.begin();
  wire.server(Wire::window_update(0, 10'000'000));
  wire.fault(Stage::request_message, faults::Hold{});
  wire.client(Wire::request(1));
  wire.to_server();
  const std::string message = grpc_message(std::string(10'000, 'x'));
  int messages = 0;
  while (wire.session.wants_input(Side::downstream) && messages < 1000) {
    wire.client(Wire::data(1, message));
    ++messages;
  }
  EXPECT_EQ(messages, 10);
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "held_bytes");
  EXPECT_FALSE(wire.session.demand());
}

struct ViolationCase {
  std::string name;
  Side by = Side::downstream;
  std::string bytes;
  std::string what;
  std::string code = "PROTOCOL_ERROR";
};
class ViolationTest : public ::testing::TestWithParam<ViolationCase> {};

TEST_P(ViolationTest, IsNamedAndEndsTheConnectionWithGoaway) {
  const ViolationCase& bad = GetParam();
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1));
  wire.to_server();
  bad.by == Side::downstream ? wire.client(bad.bytes) : wire.server(bad.bytes);
  const auto seen = wire.seen<faults::ProtocolViolation>();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].what, bad.what);
  EXPECT_EQ(seen[0].by, bad.by == Side::downstream ? faults::Peer::downstream : faults::Peer::upstream);
  ASSERT_TRUE(wire.session.demand());
  EXPECT_FALSE(wire.session.demand()->reset);
  EXPECT_TRUE(wire.session.demand()->fault.empty());
  EXPECT_EQ(goaway_code(bad.by == Side::downstream ? wire.to_client() : wire.to_server()), bad.code);
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, faults::Ending::connection_lost);
  // Nothing is read any more.
  wire.to_server();
  wire.client(frame(FrameType::ping, 0, 0, "12345678"));
  EXPECT_EQ(wire.to_server(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Peers, ViolationTest,
    ::testing::Values(
        ViolationCase{"garbage_block", Side::downstream,
                      frame(FrameType::headers, flag::end_headers, 3, hex("be")),
                      "a field block that cannot be decoded", "COMPRESSION_ERROR"},
        ViolationCase{"garbage_from_server", Side::upstream,
                      frame(FrameType::headers, flag::end_headers, 1, hex("be")),
                      "a field block that cannot be decoded", "COMPRESSION_ERROR"},
        ViolationCase{"even_id", Side::downstream, Wire::request(4),
                      "HEADERS on a stream that its sender cannot open"},
        ViolationCase{"unknown_response", Side::upstream, Wire::headers(3, response_fields()),
                      "HEADERS on a stream that its sender cannot open"},
        ViolationCase{"data_on_idle", Side::downstream, Wire::data(3, "x"), "DATA on an idle stream"},
        ViolationCase{"reset_of_idle", Side::upstream, Wire::reset(3, Http2Error::cancel),
                      "RST_STREAM on an idle stream"},
        ViolationCase{"reset_of_even", Side::downstream, Wire::reset(4, Http2Error::cancel),
                      "RST_STREAM on an idle stream"},
        ViolationCase{"increment_on_idle", Side::upstream, Wire::window_update(3, 1),
                      "WINDOW_UPDATE on an idle stream"},
        ViolationCase{"push", Side::upstream,
                      frame(FrameType::push_promise, flag::end_headers, 1, hex("00000002 88")),
                      "PUSH_PROMISE"},
        ViolationCase{"settings_value", Side::upstream, settings_frame(hex("0005 00000001")),
                      "MAX_FRAME_SIZE is outside 2^14..2^24-1"},
        ViolationCase{"garbage", Side::downstream, std::string(100, '\xff'),
                      "a frame larger than its receiver accepts", "FRAME_SIZE_ERROR"},
        ViolationCase{"window_overrun", Side::downstream,
                      Wire::data(1, std::string(40'000, 'x')) + Wire::data(1, std::string(30'000, 'x')),
                      "DATA beyond the connection's window", "FLOW_CONTROL_ERROR"}),
    [](const auto& one) { return one.param.name; });

TEST(ViolationTest, TheGoawayCallsNothingUnprocessedThatWasForwarded) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.client(Wire::data(99, "x"));
  EXPECT_EQ(wire.to_client(), Wire::goaway(3, Http2Error::protocol_error));
}

}  // namespace
}  // namespace breakwire::http2::testing
