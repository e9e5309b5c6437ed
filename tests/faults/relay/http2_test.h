// What the relay's tests with nghttp2 on both sides share: client, edge and server, and a call step by step.
#pragma once

#include "tests/faults/relay/http2_peers.h"
#include "tests/faults/relay/real_kinds.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {

inline const faults::Metadata response_fields{{":status", "200"}, {"content-type", "application/grpc"}};
inline const faults::Metadata ok_trailers{{"grpc-status", "0"}};

inline faults::Metadata request_fields(const std::string& method) {
  return {{":method", "POST"},      {":scheme", "http"}, {":path", "/" + method},
          {":authority", "server"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

class Http2RelayTest : public RelayTest {
 protected:
  Http2RelayTest()
      : port(open(listener.port())),
        client(dial(port), Endpoint::Role::client),
        server(listener.accept(), Endpoint::Role::server) {}

  std::unique_ptr<ActiveFault> arm_kind(const std::string& kind, const std::string& with,
                                        faults::Match match) {
    return arm(kind, of_kind(kind, with), std::move(match));
  }
  bool run_until(const std::function<bool()>& done) { return testing::run_until(client, server, done); }
  /// A call whose request is to go bit by bit.
  int32_t open_call(const std::string& method = "s/M") {
    return client.http2.request(request_fields(method), "", false);
  }
  bool server_has(int32_t id) const { return server.http2.streams.contains(id); }
  /// One step of a call after the other, as far as faults let it come; each is seen before the next is made,
  /// so that what a RST destroys in the kernels' buffers was delivered before.
  void play(int32_t id, const std::function<bool()>& over) {
    const auto step = [&](const std::function<bool()>& arrived) {
      EXPECT_TRUE(run_until([&] { return over() || arrived(); }));
      return !over();
    };
    auto& at_server = server.http2.streams;
    auto& at_client = client.http2.streams;
    if (!step([&] { return at_server.contains(id); })) return;
    client.http2.send(id, grpc_message("ask"), false);
    if (!step([&] { return at_server[id].body.size() == 8; })) return;
    client.http2.send(id, "", true);
    if (!step([&] { return at_server[id].end; })) return;
    server.http2.respond(id, response_fields, grpc_message("answer"), ok_trailers);
    step([&] { return at_client[id].closed.has_value(); });
  }
  /// Whatever the two had to say to each other has been said, as far as faults let it.
  bool settle() {
    for (int i = 0; i < 2 && !client.end;
         ++i) {  // an ack may overtake what the first PING made the server say
      const size_t acks = client.http2.ping_acks;
      client.http2.ping(acks);
      if (!run_until([&] { return client.http2.ping_acks > acks || client.end; })) return false;
    }
    return true;
  }
  /// Goes on until faults have hit so many times.
  bool run_until_hit(size_t count = 1) {
    const auto deadline = Clock::now() + patience;
    while (recorder.all<faults::FaultHit>().size() < count) {
      if (Clock::now() > deadline || !settle()) return false;
    }
    return true;
  }
  void expect_no_complaints() const {
    EXPECT_EQ(client.http2.complaints, std::vector<std::string>{});
    EXPECT_EQ(server.http2.complaints, std::vector<std::string>{});
  }

  Listener listener;
  uint16_t port;
  Http2Peer client;
  Http2Peer server;
};

}  // namespace breakwire::relay::testing
