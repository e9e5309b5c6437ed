// Frames that C-core writes and others do not, with nghttp2 as the witness, direct and through a relay.
#include <algorithm>

#include "tests/faults/relay/grpc_peers.h"
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

constexpr uint32_t large_frame = 4'194'303;  // what a C-core client announces as MAX_FRAME_SIZE

class CcoreFramesTest : public RelayTest {
 protected:
  /// For good: where large writes had to wait, the library's last shutdown waits for up to 10 s, for a poller
  /// that helped them.
  static void SetUpTestSuite() { grpc_init(); }
  faults::Metadata request(const std::string& method, const std::string& timeout = "") const {
    auto fields = request_fields("test.Echo/" + method);
    if (!timeout.empty()) fields.push_back({"grpc-timeout", timeout});
    return fields;
  }
  static size_t count(const Http2Peer& peer, int32_t stream, uint8_t type) {
    const auto& frames = peer.http2.frames;
    return static_cast<size_t>(std::count_if(frames.begin(), frames.end(), [&](const auto& frame) {
      return frame.stream_id == stream && frame.type == type;
    }));
  }
  static size_t largest_data(const Http2Peer& peer) {
    size_t largest = 0;
    for (const auto& frame : peer.http2.frames) {
      if (frame.type == NGHTTP2_DATA) largest = std::max(largest, frame.length);
    }
    return largest;
  }
  /// A call that succeeds on a connection where strange things have happened; its fields refer to a table
  /// that these have changed.
  void expect_a_good_call(Http2Peer& peer) const {
    const int32_t id = peer.http2.request(request("Say"), grpc_message("hello"));
    ASSERT_TRUE(run_until(peer, [&] { return peer.http2.streams[id].closed.has_value(); }));
    const auto& got = peer.http2.streams[id];
    EXPECT_EQ(faults::value_of(got.fields, ":status"), "200");
    EXPECT_EQ(faults::value_of(got.fields, "content-type"), "application/grpc");
    EXPECT_EQ(got.body, grpc_message("hello"));
    EXPECT_EQ(faults::value_of(got.trailers, "grpc-status"), "0");
  }

  /// The deadline of a call passes, and its handler ends it once more; how many HEADERS came on its stream?
  size_t heads_after_a_deadline(Http2Peer& peer, int cancelled) {
    const int32_t id = peer.http2.request(request("Wait", "50m"), grpc_message("hello"));
    EXPECT_TRUE(run_until(peer, [&] { return peer.http2.streams[id].closed.has_value(); }));
    EXPECT_EQ(faults::value_of(peer.http2.streams[id].trailers, "grpc-status"), "4");
    EXPECT_TRUE(server.wait_until_cancelled(cancelled));
    expect_a_good_call(peer);  // what the handler said was written before
    return count(peer, id, NGHTTP2_HEADERS);
  }
  /// The caller gives up, and the handler ends the call although.
  size_t heads_after_a_reset(Http2Peer& peer, int cancelled) {
    const int32_t id = peer.http2.request(request("Wait"), grpc_message("hello"));
    peer.write();
    EXPECT_TRUE(server.wait_until_waiting(1));
    peer.http2.reset(id, NGHTTP2_CANCEL);
    peer.write();
    EXPECT_TRUE(server.wait_until_cancelled(cancelled));
    expect_a_good_call(peer);
    return count(peer, id, NGHTTP2_HEADERS);
  }

  EchoServer server;
  const uint16_t through = open(server.port());
};

TEST_F(CcoreFramesTest, ASecondEndOfAClosedStreamIsDecodedAndNotForwarded) {
  Http2Peer direct(dial(server.port()), Endpoint::Role::client, {.keep_frames = true});
  Http2Peer relayed(dial(through), Endpoint::Role::client, {.keep_frames = true});
  int cancelled = 0;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(heads_after_a_reset(direct, ++cancelled), 1u) << "this C-core does not do it any more";
    EXPECT_EQ(heads_after_a_reset(relayed, ++cancelled), 0u);
    EXPECT_EQ(heads_after_a_deadline(direct, ++cancelled), 2u) << "this C-core does not do it any more";
    EXPECT_EQ(heads_after_a_deadline(relayed, ++cancelled), 1u);
  }
  EXPECT_EQ(relayed.http2.complaints, std::vector<std::string>{});
  EXPECT_EQ(recorder.wait_for<faults::CallEnded>(12).size(), 12u);
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
}

TEST_F(CcoreFramesTest, AConnectionSurvivesManyDeadlinesAndCancellationsBetweenGoodCalls) {
  EchoClient client(through);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::unique_ptr<Call>> late, given_up;
    for (int i = 0; i < 4; ++i) late.push_back(client.start("Wait", "late", 20ms));
    for (int i = 0; i < 4; ++i) given_up.push_back(client.start("Wait", "given up"));
    for (const auto& call : given_up) call->cancel();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(client.say(), grpc::StatusCode::OK);
    for (const auto& call : late) EXPECT_EQ(call->code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    for (const auto& call : given_up) EXPECT_EQ(call->code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(client.start("Say", "after all")->response(), "after all");
  EXPECT_EQ(recorder.all<faults::ConnectionAccepted>().size(), 1u);
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
}

/// A client that takes frames as large as C-core's.
Endpoint::Options large_frames() {
  return {.settings = {{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, large_frame},
                       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 16u << 20}},
          .keep_frames = true};
}
void open_window(Http2Peer& peer) {
  nghttp2_session_set_local_window_size(peer.http2.native(), NGHTTP2_FLAG_NONE, 0, 16 << 20);
}
std::string large_message() {
  std::string bytes(6 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 / 7 + i / 1000);
  return bytes;
}

TEST_F(CcoreFramesTest, AServersFramesOfMegabytesArriveInPieces) {
  const std::string message = grpc_message(large_message());
  std::map<uint16_t, size_t> largest;
  for (const uint16_t port : {server.port(), through}) {
    Http2Peer peer(dial(port), Endpoint::Role::client, large_frames());
    open_window(peer);
    const int32_t id = peer.http2.request(request("Say"), message);
    ASSERT_TRUE(run_until(peer, [&] { return peer.http2.streams[id].closed.has_value(); }));
    EXPECT_TRUE(peer.http2.streams[id].body == message);
    EXPECT_EQ(peer.http2.complaints, std::vector<std::string>{});
    largest[port] = largest_data(peer);
  }
  EXPECT_GT(largest[server.port()], 1u << 20) << "this C-core does not do it any more";
  EXPECT_LE(largest[through], 64u << 10);
}

TEST_F(CcoreFramesTest, AClientsFramesOfMegabytesArriveInPieces) {
  const std::string message = large_message();
  std::map<bool, size_t> largest;
  for (const bool is_relayed : {false, true}) {
    Listener listener;
    EchoClient client(
        is_relayed ? network->open({.id = {"c->d"}, .upstream = TcpAddress{.port = listener.port()}}).port
                   : listener.port());
    const auto call = client.start("Say", message, 20s);
    Http2Peer peer(listener.accept(), Endpoint::Role::server, large_frames());
    open_window(peer);
    peer.http2.on_request = [&](int32_t id) {
      peer.http2.respond(id, response_fields, grpc_message("thanks"), ok_trailers);
    };
    ASSERT_TRUE(run_until(peer, [&] { return peer.http2.streams[1].closed.has_value(); }));
    EXPECT_EQ(call->response(), "thanks") << call->status().error_message();
    EXPECT_TRUE(peer.http2.streams[1].body == grpc_message(message));
    EXPECT_EQ(peer.http2.complaints, std::vector<std::string>{});
    largest[is_relayed] = largest_data(peer);
  }
  EXPECT_GT(largest[false], 1u << 20) << "this C-core does not do it any more";
  EXPECT_LE(largest[true], 64u << 10);
}

TEST_F(CcoreFramesTest, AClientsSettingsArriveAsTheyAre) {
  const auto first_bytes = [&](bool is_relayed) {
    Listener listener;
    EchoClient client(
        is_relayed ? network->open({.id = {"c->d"}, .upstream = TcpAddress{.port = listener.port()}}).port
                   : listener.port());
    const auto call = client.start("Say");
    auto socket = listener.accept();
    // The preface, SETTINGS with six entries (MAX_CONCURRENT_STREAMS = 0 and 0xFE03 = 1 among them), and
    // WINDOW_UPDATE.
    const std::string bytes = socket.receive(24 + 9 + 6 * 6 + 9 + 4);
    call->cancel();
    return bytes;
  };
  const std::string direct = first_bytes(false);
  EXPECT_NE(direct.find(std::string("\0\3\0\0\0\0", 6)), std::string::npos) << "MAX_CONCURRENT_STREAMS = 0";
  EXPECT_NE(direct.find(std::string("\xfe\3\0\0\0\1", 6)), std::string::npos) << "true binary metadata";
  EXPECT_EQ(first_bytes(true), direct);
}

}  // namespace
}  // namespace breakwire::relay::testing
