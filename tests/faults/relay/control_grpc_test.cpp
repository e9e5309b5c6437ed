// What real gRPC makes of faults about control frames, C++ on both sides; and nghttp2 in front of its server.
#include <algorithm>
#include <future>

#include "tests/faults/relay/grpc_test.h"
#include "tests/faults/relay/http2_peers.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;
using grpc::StatusCode;

constexpr uint32_t max_id = 0x7fffffff;

class ControlGrpcTest : public GrpcRelayTest {
 protected:
  size_t connections() const { return recorder.all<faults::ConnectionAccepted>().size(); }
};

TEST_F(ControlGrpcTest, AGoawayInTwoStepsLosesNoCall) {
  // With retries on: what the library hands to the old connection at the last moment never leaves it, and is
  // repeated by itself (gRFC A6).
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                                 grpc::InsecureChannelCredentials(), arguments);
  grpc::GenericStub stub(channel);
  Call waiting(stub, "/test.Echo/Wait", "hello", 20s, false);
  ASSERT_TRUE(server.wait_until_waiting(1));
  arm_kind("goaway").reset();
  for (int number = 0; number < 20; ++number) {
    EXPECT_EQ(Call(stub, "/test.Echo/Say", "hello", 20s, false).code(), StatusCode::OK);
  }
  EXPECT_EQ(connections(), 2u) << "new calls go elsewhere";
  server.let_go();
  EXPECT_EQ(waiting.code(), StatusCode::OK);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.fault, FaultId{"goaway"});
  EXPECT_EQ(ended.connection, recorder.all<faults::ConnectionAccepted>().front().connection);
}

TEST_F(ControlGrpcTest, AGoawayThatClosesFailsWhatIsUnderWay) {
  const auto waiting = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  arm_kind("goaway", R"({"code": "ENHANCE_YOUR_CALM", "last": "forwarded", "then": "close"})").reset();
  EXPECT_EQ(waiting->code(), StatusCode::UNAVAILABLE);
  EXPECT_TRUE(server.wait_until_cancelled(1));
}

TEST_F(ControlGrpcTest, OneConcurrentStreamMakesCallsWaitInTheCaller) {
  ASSERT_EQ(client.say(), StatusCode::OK);
  auto one = arm_kind("settings", R"({"max_concurrent_streams": 1})");
  ASSERT_EQ(client.say(), StatusCode::OK);  // answered on the connection that was told before
  const auto first = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  EXPECT_EQ(client.start("Wait", "hello", 300ms)->code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.handled("/test.Echo/Wait"), 1) << "it was never on the wire";
  one.reset();
  const auto deadline = Clock::now() + patience;
  while (client.say(200ms) != StatusCode::OK) ASSERT_LT(Clock::now(), deadline) << "beside the first again";
  server.let_go();
  EXPECT_EQ(first->code(), StatusCode::OK);
  EXPECT_EQ(connections(), 1u);
}

TEST_F(ControlGrpcTest, AFrozenWindowEndsALargeCallByItsDeadlineAndLetsItGoOnLater) {
  ASSERT_EQ(client.say(), StatusCode::OK);
  const auto large = [&](std::chrono::milliseconds deadline) {
    return client.start("Say", std::string(16 << 20, 'x'), deadline);
  };
  auto frozen = arm_kind("freeze_window", "{}", {.direction = Direction::response});
  EXPECT_EQ(large(400ms)->code(), StatusCode::DEADLINE_EXCEEDED);
  const auto late = large(20s);
  frozen.reset();
  EXPECT_EQ(late->response().size(), 16u << 20);
  EXPECT_EQ(connections(), 1u);
}

TEST_F(ControlGrpcTest, MutedAcksTripTheCallersKeepaliveOnAConnectionThatWorks) {
  const auto mute = arm_kind("mute_ping", R"({"mute": "acks"})", {.direction = Direction::response});
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 300);
  const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                                 grpc::InsecureChannelCredentials(), arguments);
  grpc::GenericStub stub(channel);
  Call call(stub, "/test.Echo/Wait", "hello", std::chrono::seconds(20), false);
  EXPECT_EQ(call.code(), StatusCode::UNAVAILABLE);
  EXPECT_NE(call.status().error_message().find("keepalive"), std::string::npos)
      << call.status().error_message();
  size_t answers = 0;
  for (const auto& ping : recorder.all<faults::PingSeen>()) {
    if (!ping.ack || ping.direction != Direction::response) continue;
    EXPECT_FALSE(ping.times.forwarded);
    ++answers;
  }
  EXPECT_EQ(answers, 1u) << "the server did answer the caller's PING";
}

/// nghttp2 as the client of a real gRPC server, which a test shuts down.
class DrainingServerTest : public ControlGrpcTest {
 protected:
  bool run_until(const std::function<bool()>& done) { return testing::run_until(peer, done); }

  Http2Peer peer{dial(port), Endpoint::Role::client};
};

TEST_F(DrainingServerTest, WithoutThePingsAckARealDrainStaysInItsFirstStep) {
  const int32_t call = peer.http2.request({{":method", "POST"},
                                           {":scheme", "http"},
                                           {":path", "/test.Echo/Wait"},
                                           {":authority", "server"},
                                           {"te", "trailers"},
                                           {"content-type", "application/grpc"}},
                                          grpc_message("hello"));
  peer.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return peer.http2.ping_acks == 1; }));
  ASSERT_TRUE(server.wait_until_waiting(1));
  auto mute = arm_kind("mute_ping", R"({"mute": "acks", "late": true})", {.direction = Direction::request});
  auto stopping = std::async(std::launch::async, [&] { server.shut_down(); });
  ASSERT_TRUE(run_until([&] { return peer.http2.goaway_lasts.size() == 1; }));
  EXPECT_EQ(peer.http2.goaway_lasts, (std::vector<uint32_t>{max_id}));
  const auto withheld = [&] {
    const auto pings = recorder.all<faults::PingSeen>();
    return std::any_of(pings.begin(), pings.end(), [](const auto& ping) {
      return ping.ack && ping.direction == Direction::request && !ping.times.forwarded;
    });
  };
  for (const auto deadline = Clock::now() + patience; !withheld();) {
    ASSERT_LT(Clock::now(), deadline);
    peer.write();
    if (peer.socket.ready(POLLIN, 10ms)) peer.read();
  }
  // Had the ACK been passed on, the second GOAWAY would come with the answer to a PING behind it.
  const size_t acks = peer.http2.ping_acks;
  peer.http2.ping(2);
  ASSERT_TRUE(run_until([&] { return peer.http2.ping_acks > acks; }));
  EXPECT_EQ(peer.http2.goaway_lasts.size(), 1u) << "the drain waits for the ACK that the relay has";
  mute.reset();
  ASSERT_TRUE(run_until([&] { return peer.http2.goaway_lasts.size() == 2; }));
  EXPECT_EQ(peer.http2.goaway_lasts[1], static_cast<uint32_t>(call));
  server.let_go();
  ASSERT_TRUE(run_until([&] { return peer.http2.streams[call].closed.has_value(); }));
  EXPECT_EQ(faults::value_of(peer.http2.streams[call].trailers, "grpc-status"), "0");
  stopping.get();
  EXPECT_EQ(peer.http2.complaints, std::vector<std::string>{});
}

}  // namespace
}  // namespace breakwire::relay::testing
