// Faults about bytes on HTTP/2 connections, with nghttp2 on both sides: what they do to calls, and that the
// relay itself is not confused by them.
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;

class Http2ByteFaultsTest : public Http2RelayTest {
 protected:
  Http2ByteFaultsTest() {
    server.http2.on_request = [this](int32_t id) {
      server.http2.respond(id, response_fields, server.http2.streams[id].body, ok_trailers);
    };
    // The handshake is over, and all that came with it has passed the relay.
    call(grpc_message("warm-up"));
    client.http2.ping(0);
    EXPECT_TRUE(run_until([&] { return client.http2.ping_acks == 1; }));
  }

  /// A call that the server answers with its own body; the stream's id.
  int32_t start(const std::string& body) { return client.http2.request(request_fields("s/M"), body); }
  int32_t call(const std::string& body) {
    const int32_t id = start(body);
    EXPECT_TRUE(run_until([&] { return client.http2.streams[id].closed.has_value(); }));
    return id;
  }
  std::unique_ptr<ActiveFault> arm_kind(const std::string& kind, const std::string& with,
                                        Direction direction) {
    return Http2RelayTest::arm_kind(kind, with, {.direction = direction});
  }
};

TEST_F(Http2ByteFaultsTest, CorruptPayloadIsAWrongMessageAndNothingElse) {
  const std::string body = grpc_message(std::string(200'000, 'm'));
  std::string expected = body;
  for (size_t i = 5; i < expected.size(); i += 1000) expected[i] = static_cast<char>(expected[i] ^ 0x04);
  auto bits = arm_kind("corrupt", R"({"layer": "payload", "skip": "5B", "every": "1000B", "bits": [2]})",
                       Direction::request);
  const int32_t id = call(body);
  EXPECT_TRUE(server.http2.streams[id].body == expected);
  EXPECT_TRUE(client.http2.streams[id].body == expected);  // the answer is what the server got
  EXPECT_EQ(client.http2.streams[id].trailers, ok_trailers);
  bits.reset();
  EXPECT_TRUE(server.http2.streams[call(body)].body == body);
  expect_no_complaints();
}

TEST_F(Http2ByteFaultsTest, CorruptFieldBlockIsTheDecodersCompressionError) {
  client.http2.may_say_goaway = server.http2.may_say_goaway = true;
  // The first field, `:method: POST`, is one octet, an index (RFC 7541 §6.1): 0x83 becomes 0xe3, which is
  // none.
  const auto bits = arm_kind("corrupt", R"({"layer": "field_block", "bits": [5, 6]})", Direction::request);
  start(grpc_message("lost"));
  ASSERT_TRUE(run_until([&] { return client.http2.goaway_last.has_value(); }));
  EXPECT_EQ(client.http2.goaway_code, NGHTTP2_COMPRESSION_ERROR);
  EXPECT_EQ(bits->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty()) << "the relay saw nothing wrong";
}

TEST_F(Http2ByteFaultsTest, CorruptFrameHeaderTurnsAFrameIntoAnother) {
  // The type octet of the next frame only: HEADERS (1) becomes 0x81, which nobody knows and all ignore.
  const auto bits =
      arm_kind("corrupt", R"({"layer": "frame_header", "skip": "3B", "bits": [7]})", Direction::request);
  const int32_t lost = client.http2.request(request_fields("s/M"), "", true);
  client.write();  // else the PING overtakes it
  client.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 2; }));
  EXPECT_EQ(bits->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_FALSE(server.http2.streams.contains(lost));
}

TEST_F(Http2ByteFaultsTest, BytesThatAreCutOffAreNeverToldAsForwarded) {
  auto cut = arm_kind("truncate", R"({"bytes": "0B"})", Direction::request);
  const size_t forwarded = recorder.all<faults::Forwarded>().size();
  const int32_t id = start(grpc_message("unheard"));
  client.http2.ping(1);
  client.write();
  EXPECT_FALSE(recorder.wait_for<faults::CallStarted>(2)[1].times.forwarded.has_value());
  server.http2.ping(2);  // the other direction lives
  ASSERT_TRUE(run_until([&] { return client.http2.pings == 1; }));
  cut.reset();
  client.http2.reset(id, NGHTTP2_CANCEL);
  client.write();
  EXPECT_FALSE(recorder.wait_for<faults::CallEnded>(2)[1].times.forwarded.has_value());
  client.socket.send_fin();
  ASSERT_TRUE(run_until([&] { return server.end.has_value(); }));
  EXPECT_EQ(server.end, 0);
  EXPECT_FALSE(server.http2.streams.contains(id));
  EXPECT_EQ(client.http2.ping_acks, 1u);
  EXPECT_EQ(recorder.all<faults::Forwarded>().size(), forwarded);
  expect_no_complaints();
}

TEST_F(Http2ByteFaultsTest, ATruncatedResponseLeavesTheCallerWaitingAndTheServerDone) {
  const auto cut = arm_kind("truncate", R"({"bytes": "5000B"})", Direction::response);
  const int32_t id = start(grpc_message(std::string(20'000, 'm')));
  ASSERT_TRUE(run_until([&] {
    return server.http2.streams[id].closed.has_value() && client.http2.streams[id].body.size() > 4000;
  }));
  EXPECT_EQ(server.http2.streams[id].closed, NGHTTP2_NO_ERROR);
  client.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return server.http2.pings == 2; }));
  EXPECT_LT(client.http2.streams[id].body.size(), 5000u);
  EXPECT_FALSE(client.http2.streams[id].closed);
  EXPECT_EQ(client.http2.ping_acks, 1u);
  expect_no_complaints();
}

TEST_F(Http2ByteFaultsTest, ATruncatedConnectionThatIsResetLosesItsCallsToTheFault) {
  const auto cut = arm_kind("truncate", R"({"bytes": "5000B", "then": "reset"})", Direction::request);
  start(grpc_message(std::string(20'000, 'm')));
  ASSERT_TRUE(run_until([&] { return client.end && server.end; }));
  EXPECT_EQ(client.end, ECONNRESET);
  EXPECT_EQ(server.end, ECONNRESET);
  const auto ended = recorder.wait_for<faults::CallEnded>(2)[1];
  EXPECT_EQ(ended.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended.fault, FaultId{"truncate"});
}

TEST_F(Http2ByteFaultsTest, PacedAndSlicedCallsAreWholeAndTheSenderIsSlowedByItsWindows) {
  const std::string body = grpc_message(std::string(300'000, 'm'));
  const auto narrow = arm_kind("bandwidth", R"({"rate": "2MB/s"})", Direction::request);
  const auto crumbs = arm_kind("slice", R"({"size": "997B", "gap": "100us"})", Direction::response);
  const auto begin = Clock::now();
  const int32_t id = call(body);
  EXPECT_GE(Clock::now() - begin, 145ms);
  EXPECT_TRUE(client.http2.streams[id].body == body);
  EXPECT_EQ(client.http2.streams[id].trailers, ok_trailers);
  expect_no_complaints();
}

}  // namespace
}  // namespace breakwire::relay::testing
