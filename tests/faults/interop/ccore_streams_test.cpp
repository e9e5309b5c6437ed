// How calls of a C-core client wait for streams that the server does not allow (yet), direct and through a
// relay.
#include <nghttp2/nghttp2.h>

#include "tests/faults/relay/grpc_peers.h"
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

using grpc::StatusCode;

class StreamLimitTest : public RelayTest, public ::testing::WithParamInterface<bool> {
 protected:
  /// The port to dial for that server.
  uint16_t way_to(uint16_t server) { return GetParam() ? open(server) : server; }
  static std::function<void(grpc::ServerBuilder&)> with_streams(int limit) {
    return [limit](grpc::ServerBuilder& builder) {
      builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limit);
    };
  }
};

TEST_P(StreamLimitTest, WithOneStreamCallsGoOneAfterTheOther) {
  EchoServer server(with_streams(1));
  EchoClient client(way_to(server.port()));
  std::vector<std::unique_ptr<Call>> calls;
  for (int number = 0; number < 5; ++number) calls.push_back(client.start("Wait", std::to_string(number)));
  for (int turn = 1; turn <= 5; ++turn) {
    ASSERT_TRUE(server.wait_until_waiting(1));
    EXPECT_EQ(client.say(20ms), StatusCode::DEADLINE_EXCEEDED) << "it has no stream";
    EXPECT_EQ(server.handled("/test.Echo/Wait"), turn);
    server.let_go();
  }
  for (int number = 0; number < 5; ++number) {
    EXPECT_EQ(calls[static_cast<size_t>(number)]->response(), std::to_string(number));
  }
  EXPECT_EQ(server.handled("/test.Echo/Say"), 0) << "what waits in the client is never on the wire";
}

TEST_P(StreamLimitTest, WithoutAnyStreamCallsWaitInTheClient) {
  EchoServer server(with_streams(0));
  const uint16_t port = way_to(server.port());
  Http2Peer peer(dial(port), Endpoint::Role::client, {.keep_frames = true});
  ASSERT_TRUE(run_until(peer, [&] { return !peer.http2.frames.empty(); }));
  EXPECT_EQ(nghttp2_session_get_remote_settings(peer.http2.native(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS),
            0u);
  EchoClient client(port);
  const auto first = client.start("Say", "hello", 200ms);
  const auto second = client.start("Say", "hello", 200ms);
  EXPECT_EQ(first->code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(second->code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 0);
  EXPECT_TRUE(recorder.all<faults::CallStarted>().empty());
}

TEST_P(StreamLimitTest, CallsThatWaitForTheFirstStreamGoWhenThereIsOne) {
  Listener listener;
  EchoClient client(way_to(listener.port()));
  std::vector<std::unique_ptr<Call>> calls;
  for (int number = 0; number < 3; ++number)
    calls.push_back(client.start("Say", std::to_string(number), 20s));
  Http2Peer server(listener.accept(), Endpoint::Role::server,
                   {.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0}}});
  auto& http2 = server.http2;
  // What the client had to say to the settings it has, it said before its answer to the second PING.
  const auto settle = [&] {
    for (int i = 0; i < 2; ++i) {
      const size_t acks = http2.ping_acks;
      http2.ping(acks);
      ASSERT_TRUE(run_until(server, [&] { return http2.ping_acks > acks; }));
    }
  };
  const auto open_now = [&] {
    int32_t count = 0;
    for (const auto& [id, stream] : http2.streams) count += stream.end && !stream.closed ? 1 : 0;
    return count;
  };
  settle();
  EXPECT_TRUE(http2.streams.empty()) << "none is allowed";
  http2.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}});
  settle();
  // C-core looks at what waits when a call begins or ends, not when the limit rises.
  calls.push_back(client.start("Say", "3", 20s));
  ASSERT_TRUE(run_until(server, [&] { return open_now() == 2; }));
  settle();
  EXPECT_EQ(http2.streams.size(), 2u) << "two are allowed";
  for (const int32_t id : {1, 3, 5, 7}) {
    ASSERT_TRUE(run_until(server, [&] { return http2.streams.contains(id) && http2.streams[id].end; }));
    const std::string body = http2.streams[id].body;
    http2.respond(id, response_fields, body, ok_trailers);
    ASSERT_TRUE(run_until(server, [&] { return http2.streams[id].closed.has_value(); }));
  }
  for (int number = 0; number < 4; ++number) {
    EXPECT_EQ(calls[static_cast<size_t>(number)]->response(), std::to_string(number));
  }
  EXPECT_EQ(http2.complaints, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Ways, StreamLimitTest, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "Relayed" : "Direct"; });

}  // namespace
}  // namespace breakwire::relay::testing
