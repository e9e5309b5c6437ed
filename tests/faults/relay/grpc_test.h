// What the relay's tests with real gRPC share: server, edge and client, and faults of the real kinds.
#pragma once

#include "tests/faults/relay/grpc_peers.h"
#include "tests/faults/relay/real_kinds.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {

class GrpcRelayTest : public RelayTest {
 protected:
  /// Peers that do not probe the bandwidth write nothing while a call waits.
  explicit GrpcRelayTest(bool probing = true)
      : server([=](auto& builder) { builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, probing); }),
        port(open(server.port())),
        client(port, [=](auto& channel) { channel.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, probing); }) {}

  /// A fault as a scenario would have it: kind, and `with` as JSON.
  std::unique_ptr<ActiveFault> arm_kind(const std::string& kind, const std::string& with = "{}",
                                        faults::Match match = {}) {
    return arm(kind, of_kind(kind, with), std::move(match));
  }

  EchoServer server;
  const uint16_t port;
  EchoClient client;
};

}  // namespace breakwire::relay::testing
