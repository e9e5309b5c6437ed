// Floods that move no call, and what open calls keep: bounds beyond those that RelayRule12Bounds shows.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

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

TEST(FloodTest, TooManyParametersInOneSettings) {
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

/// Each request names a large field of the table many times: what it says is small, what is kept of it is
/// not.
TEST(FloodTest, ManyOpenCallsWhoseFieldsUnfold) {
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

}  // namespace
}  // namespace breakwire::http2::testing
