// gRPC's negative HTTP/2 behaviours, by servers of our own, with a real gRPC C++ client: the same direct and
// through a relay without faults, and what the specification of those tests expects.
#include "tests/faults/relay/grpc_test.h"
#include "tests/faults/relay/http2_peers.h"
#include "tests/faults/transparency/scripted_server.h"

namespace breakwire::relay::testing {
namespace {

using Connection = ScriptedConnection;
using Seen = std::vector<Connection::Seen>;

constexpr size_t request_size = 271'828, response_size = 314'159;  // of large_unary
const std::string response_message = [] {
  std::string message("\0\0\x04\xcb\x2f", 5);
  return message + std::string(response_size, 'r');
}();

/// A call that counts the messages it gets.
class CountingCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  CountingCall(grpc::GenericStub& stub, size_t size) : request_(buffer_of(std::string(size, 'q'))) {
    context_.set_deadline(std::chrono::system_clock::now() + patience);
    stub.PrepareBidiStreamingCall(&context_, "/test.Negative/Call", {}, this);
    StartWriteLast(&request_, {});
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    sizes_.push_back(response_.Length());
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override { done_.set_value(status); }
  grpc::StatusCode code() { return done_.get_future().get().error_code(); }
  const std::vector<size_t>& sizes() const { return sizes_; }

 private:
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, response_;
  std::vector<size_t> sizes_;
  std::promise<grpc::Status> done_;
};

/// What client and server saw.
struct Outcome {
  std::vector<std::pair<grpc::StatusCode, std::vector<size_t>>> calls;  // status, and sizes of messages
  Seen connections;
};

struct Case {
  std::string name;
  Connection::OnRequest server;
  std::string settings;
  std::function<void(EchoClient&, ScriptedServer&, Outcome&)> client;
  std::function<void(const Outcome&)> expected;
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

void one_call(EchoClient& client, ScriptedServer&, Outcome& outcome) {
  CountingCall call(client.stub(), request_size);
  const auto code = call.code();
  outcome.calls.emplace_back(code, call.sizes());
}

void expect_ok(const Outcome& outcome, size_t calls) {
  ASSERT_EQ(outcome.calls.size(), calls);
  for (const auto& [code, sizes] : outcome.calls) {
    EXPECT_EQ(code, grpc::StatusCode::OK);
    EXPECT_EQ(sizes, std::vector<size_t>{response_size});
  }
}

/// RST_STREAM(NO_ERROR) is INTERNAL for C-core (statuscodes.md leaves it to the library).
void expect_internal(const Outcome& outcome, size_t messages) {
  ASSERT_EQ(outcome.calls.size(), 1u);
  EXPECT_EQ(outcome.calls[0].first, grpc::StatusCode::INTERNAL);
  EXPECT_LE(outcome.calls[0].second.size(), messages);
}

void answer_in_pieces(Connection& connection, uint32_t stream, int padding) {
  connection.headers(stream);
  connection.data(stream, response_message, 5, padding);
  connection.trailers(stream);
}

const std::vector<Case> cases{
    {.name = "goaway",
     .server =
         [](Connection& connection, uint32_t stream) {
           connection.headers(stream);
           connection.data(stream, response_message);
           connection.trailers(stream);
           connection.goaway(stream, 0);
         },
     .client =
         [](EchoClient& client, ScriptedServer& server, Outcome& outcome) {
           one_call(client, server, outcome);
           const auto deadline = std::chrono::system_clock::now() + patience;
           EXPECT_TRUE(client.channel().WaitForStateChange(GRPC_CHANNEL_READY, deadline)) << "no GOAWAY";
           one_call(client, server, outcome);
         },
     .expected =
         [](const Outcome& outcome) {
           expect_ok(outcome, 2);
           ASSERT_EQ(outcome.connections.size(), 2u);
           for (const auto& connection : outcome.connections) EXPECT_EQ(connection.requests, 1u);
         }},
    {.name = "rst_after_header",
     .server =
         [](Connection& connection, uint32_t stream) {
           connection.headers(stream);
           connection.reset(stream, 0);
         },
     .client = one_call,
     .expected = [](const Outcome& outcome) { expect_internal(outcome, 0); }},
    {.name = "rst_during_data",
     .server =
         [](Connection& connection, uint32_t stream) {
           connection.headers(stream);
           connection.data(stream, response_message.substr(0, response_message.size() / 2));
           connection.reset(stream, 0);
         },
     .client = one_call,
     .expected = [](const Outcome& outcome) { expect_internal(outcome, 0); }},
    {.name = "rst_after_data",
     .server =
         [](Connection& connection, uint32_t stream) {
           connection.headers(stream);
           connection.data(stream, response_message);
           connection.reset(stream, 0);
         },
     .client = one_call,
     .expected = [](const Outcome& outcome) { expect_internal(outcome, 1); }},
    {.name = "ping",
     .server =
         [](Connection& connection, uint32_t stream) {
           connection.ping();
           connection.headers(stream);
           connection.ping();
           connection.data(stream, response_message.substr(0, 1000));
           connection.ping();
           connection.data(stream, response_message.substr(1000));
           connection.ping();
           connection.trailers(stream);
           connection.ping();
         },
     .client =
         [](EchoClient& client, ScriptedServer& server, Outcome& outcome) {
           one_call(client, server, outcome);
           server.wait_for(
               [](const Seen& seen) { return seen.size() == 1 && seen[0].pings_acked.size() == 5; });
         },
     .expected =
         [](const Outcome& outcome) {
           expect_ok(outcome, 1);
           ASSERT_EQ(outcome.connections.size(), 1u);
           EXPECT_EQ(outcome.connections[0].pings_sent.size(), 5u);
           EXPECT_EQ(outcome.connections[0].pings_acked, outcome.connections[0].pings_sent);
         }},
    {.name = "max_streams",
     .server =
         [](Connection& connection, uint32_t stream) {
           connection.headers(stream);
           connection.data(stream, response_message);
           connection.trailers(stream);
         },
     .settings = std::string("\0\3\0\0\0\1", 6),
     .client =
         [](EchoClient& client, ScriptedServer& server, Outcome& outcome) {
           one_call(client, server, outcome);  // from now on the client knows the limit
           std::vector<std::unique_ptr<CountingCall>> calls;
           for (int i = 0; i < 12; ++i)
             calls.push_back(std::make_unique<CountingCall>(client.stub(), request_size));
           for (auto& call : calls) {
             const auto code = call->code();
             outcome.calls.emplace_back(code, call->sizes());
           }
         },
     .expected =
         [](const Outcome& outcome) {
           expect_ok(outcome, 13);
           ASSERT_EQ(outcome.connections.size(), 1u);
           EXPECT_EQ(outcome.connections[0].requests, 13u);
           EXPECT_EQ(outcome.connections[0].most_open, 1u);
         }},
    // C-core knows no padded DATA: gRPC leaves this case out for it. That it sees the padding is what counts
    // here; that padding is accounted for is shown to a client that knows it, below.
    {.name = "data_frame_padding",
     .server = [](Connection& connection, uint32_t stream) { answer_in_pieces(connection, stream, 255); },
     .client = one_call,
     .expected = [](const Outcome& outcome) { expect_internal(outcome, 0); }},
    {.name = "no_df_padding_sanity_test",
     .server = [](Connection& connection, uint32_t stream) { answer_in_pieces(connection, stream, -1); },
     .client = one_call,
     .expected =
         [](const Outcome& outcome) {
           expect_ok(outcome, 1);
           ASSERT_EQ(outcome.connections.size(), 1u);
           EXPECT_EQ(outcome.connections[0].flow_sent, response_message.size());
         }},
};

class NegativeHttp2Test : public RelayTest, public ::testing::WithParamInterface<Case> {
 protected:
  static Outcome run(uint16_t port, ScriptedServer& server) {
    Outcome outcome;
    {
      EchoClient client(port);
      GetParam().client(client, server, outcome);
    }
    outcome.connections = server.wait_for_ends();
    return outcome;
  }
};

TEST_P(NegativeHttp2Test, IsTheSameDirectAndThroughTheRelayAndAsExpected) {
  Outcome direct, relayed;
  {
    ScriptedServer server(GetParam().server, GetParam().settings);
    direct = run(server.port(), server);
  }
  {
    SCOPED_TRACE("direct");
    GetParam().expected(direct);
  }
  {
    ScriptedServer server(GetParam().server, GetParam().settings);
    relayed = run(open(server.port()), server);
  }
  SCOPED_TRACE("through the relay");
  GetParam().expected(relayed);
  ASSERT_EQ(relayed.calls.size(), direct.calls.size());
  for (size_t i = 0; i < direct.calls.size(); ++i) EXPECT_EQ(relayed.calls[i].first, direct.calls[i].first);
  EXPECT_EQ(relayed.connections.size(), direct.connections.size());
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty());
}

INSTANTIATE_TEST_SUITE_P(All, NegativeHttp2Test, ::testing::ValuesIn(cases),
                         [](const auto& tested) { return tested.param.name; });

class PaddingTest : public RelayTest {};

TEST_F(PaddingTest, EveryOctetOfPaddedFramesIsTakenOfTheWindowsAndGivenBackThroughTheRelay) {
  ScriptedServer server(
      [](Connection& connection, uint32_t stream) { answer_in_pieces(connection, stream, 255); });
  for (const uint16_t port : {server.port(), open(server.port())}) {
    Http2Peer client(dial(port), Endpoint::Role::client);
    const int32_t id = client.http2.request({{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", "/test.Negative/Call"},
                                             {":authority", "server"},
                                             {"content-type", "application/grpc"}},
                                            grpc_message("ask"));
    const auto& answer = client.http2.streams[id];
    while (!answer.closed && !client.end) {
      client.write();
      ASSERT_TRUE(client.socket.ready(POLLIN, patience)) << "stuck after " << answer.body.size();
      client.read();
    }
    EXPECT_TRUE(answer.body == response_message);
    EXPECT_EQ(answer.closed, static_cast<uint32_t>(NGHTTP2_NO_ERROR));
    EXPECT_EQ(client.http2.complaints, std::vector<std::string>{});
  }
  // Every frame of 5 octets took 261 of windows of 65,535 (RFC 9113 §6.1).
  const uint64_t frames = (response_message.size() + 4) / 5;
  const Seen connections = server.wait_for_ends();
  ASSERT_EQ(connections.size(), 2u);
  for (const auto& connection : connections) {
    EXPECT_EQ(connection.flow_sent, response_message.size() + 256 * frames);
    EXPECT_GE(connection.credit, connection.flow_sent);
  }
}

}  // namespace
}  // namespace breakwire::relay::testing
