// Peers that break HTTP/2: named, and the end of the connection. Floods: RelayRule12Bounds.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

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

}  // namespace
}  // namespace breakwire::http2::testing
