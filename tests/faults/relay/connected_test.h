// What the relay's tests of one connection share: a client and a server with the edge between them.
#pragma once

#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {

class ConnectedTest : public RelayTest {
 protected:
  ConnectedTest() : port(open(upstream.port())), client(dial(port)), server(upstream.accept()) {}

  /// A byte, so that both directions are known to be there.
  void pass_both_ways() {
    EXPECT_TRUE(client.send("a"));
    EXPECT_EQ(server.receive(1), "a");
    EXPECT_TRUE(server.send("b"));
    EXPECT_EQ(client.receive(1), "b");
  }

  Listener upstream;
  uint16_t port;
  Socket client;
  Socket server;
};

}  // namespace breakwire::relay::testing
