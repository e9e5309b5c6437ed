// What the relay's tests of one connection share: a client and a server whose bytes have passed the edge.
#pragma once

#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {

class ConnectedTest : public RelayTest {
 protected:
  ConnectedTest() : port(open(upstream.port())), client(dial(port)), server(upstream.accept()) {
    EXPECT_TRUE(client.send("before"));
    EXPECT_EQ(server.receive(6), "before");
  }

  Listener upstream;
  uint16_t port;
  Socket client;
  Socket server;
};

}  // namespace breakwire::relay::testing
