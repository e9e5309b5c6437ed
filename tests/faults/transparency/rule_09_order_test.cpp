// RELAY.md, rule 9: call faults let PING, SETTINGS and GOAWAY pass. That byte faults act on all of them needs
// sockets: rule_09_order_relay_test.cpp.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;

struct HoldingCase {
  std::string name;
  Stage stage;
  friend void PrintTo(const HoldingCase& one, std::ostream* out) { *out << one.name; }
};
class RelayRule09OrderWhileHeld : public ::testing::TestWithParam<HoldingCase> {};

TEST_P(RelayRule09OrderWhileHeld, PingSettingsAndGoawayPassBothWays) {
  Wire wire;
  wire.begin();
  wire.fault(GetParam().stage, faults::Hold{}, "hang");
  wire.client(Wire::request(1) + Wire::data(1, grpc_message("a"), true));
  if (GetParam().stage > Stage::request_end) {
    wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("b")) +
                Wire::headers(1, ok_trailers(), true));
  }
  wire.to_server();
  wire.to_client();
  const std::string control = frame(FrameType::ping, 0, 0, "12345678") + setting(6, 5) +
                              frame(FrameType::ping, flag::ack, 0, "87654321") +
                              Wire::goaway(max_stream_id, Http2Error::no_error, "soon");
  wire.client(control);
  EXPECT_EQ(wire.to_server(), control);
  wire.server(control);
  EXPECT_EQ(wire.to_client(), control);
  wire.client(settings_ack);
  EXPECT_EQ(wire.to_server(), settings_ack);
  wire.clear("hang");
  EXPECT_NE(wire.to_server() + wire.to_client(), "") << "the call was held all the while";
}

INSTANTIATE_TEST_SUITE_P(All, RelayRule09OrderWhileHeld,
                         ::testing::Values(HoldingCase{"headers", Stage::headers},
                                           HoldingCase{"request_message", Stage::request_message},
                                           HoldingCase{"request_end", Stage::request_end},
                                           HoldingCase{"response_headers", Stage::response_headers},
                                           HoldingCase{"response_message", Stage::response_message},
                                           HoldingCase{"response_end", Stage::response_end}),
                         [](const auto& tested) { return tested.param.name; });

TEST(RelayRule09Order, PingsOvertakeAHeldCall) {
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

TEST(RelayRule09Order, AFinalGoawayRefusesACallThatWasHeldAndSaysWhy) {
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

}  // namespace
}  // namespace breakwire::http2::testing
