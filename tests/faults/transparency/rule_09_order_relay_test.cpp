// RELAY.md, rule 9, over sockets: byte faults act on the serialised stream, control frames included.
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

class RelayRule09OrderOfBytes : public Http2RelayTest {};

TEST_F(RelayRule09OrderOfBytes, AStallHoldsControlFramesLikeEverythingElse) {
  ASSERT_TRUE(settle());
  auto stall = arm_kind("stall", "{}", {});
  const int32_t id = client.http2.request(request_fields("s/M"), grpc_message("ask"));
  client.http2.ping(17);
  client.http2.goaway(0, NGHTTP2_NO_ERROR, "bye");
  server.http2.ping(18);
  const size_t pings = server.http2.pings;
  for (const auto until = Clock::now() + glance; Clock::now() < until;) take_turns(client, server, 10ms);
  EXPECT_EQ(server.http2.pings, pings);
  EXPECT_FALSE(server.http2.goaway_last.has_value());
  EXPECT_FALSE(server_has(id));
  EXPECT_EQ(recorder.wait_for<faults::CallStarted>().size(), 1u) << "the relay has read it";
  const size_t acks = client.http2.ping_acks;
  stall.reset();
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks > acks && server.http2.goaway_last; }));
  EXPECT_TRUE(server_has(id));
}

TEST_F(RelayRule09OrderOfBytes, LatencyDelaysAPingByAsMuchAsACall) {
  ASSERT_TRUE(settle());
  auto latency = arm_kind("latency", R"({"delay": "60ms"})", {});
  const auto sent = Clock::now();
  client.http2.ping(17);
  const size_t acks = client.http2.ping_acks;
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks > acks; }));
  EXPECT_GE(Clock::now() - sent, 120ms) << "there and back";
}

}  // namespace
}  // namespace breakwire::relay::testing
