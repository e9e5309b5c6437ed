// Kinds that concern whole connections, as plain sockets meet them: what connect(2) and recv(2) say.
#include "tests/faults/relay/real_kinds.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

class ConnectionsWitnessTest : public RelayTest {
 protected:
  void SetUp() override { connect(); }
  void connect() {
    client = dial(port);
    server = upstream.accept();
    ASSERT_TRUE(client.send("x"));
    ASSERT_EQ(server.receive(1), "x");
  }
  std::unique_ptr<ActiveFault> of(const char* kind, const char* with = "{}", faults::Match match = {}) {
    return arm(kind, of_kind(kind, with), std::move(match));
  }
  int error_of_dialling() {
    int error = 0;
    dial(port, error);
    return error;
  }

  Listener upstream;
  const uint16_t port = open(upstream.port());
  Socket client;
  Socket server;
};

TEST_F(ConnectionsWitnessTest, RefuseIsEconnrefusedAndTheSamePortAfterwards) {
  auto refuse = of("refuse");
  EXPECT_EQ(error_of_dialling(), ECONNREFUSED);
  ASSERT_TRUE(client.send("still here"));
  EXPECT_EQ(server.receive(10), "still here");
  refuse.reset();
  connect();
}

TEST_F(ConnectionsWitnessTest, ResetIsEconnresetOnBothSides) {
  of("reset").reset();  // at one moment
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(client.info().tcpi_state, TCP_CLOSE);
  connect();
}

TEST_F(ConnectionsWitnessTest, ResetOfNewConnectionsComesRightAfterTheHandshake) {
  const auto reset = of("reset", "{}", {.connections = faults::Connections::fresh});
  int error = 0;
  auto fresh = dial(port, error);
  EXPECT_TRUE(error == ECONNRESET || (error == 0 && fresh.receive_end() == ECONNRESET)) << error;
  EXPECT_TRUE(upstream.nobody_connects());
  ASSERT_TRUE(client.send("untouched"));
  EXPECT_EQ(server.receive(9), "untouched");
}

TEST_F(ConnectionsWitnessTest, AcceptHangIsAHandshakeAndThenNothingUntilTheFin) {
  auto hang = of("accept_hang", R"({"then": "close"})");
  auto deaf = dial(port);
  EXPECT_EQ(deaf.info().tcpi_state, TCP_ESTABLISHED);
  ASSERT_TRUE(deaf.send("anybody there?"));
  EXPECT_TRUE(deaf.silent());
  EXPECT_TRUE(upstream.nobody_connects());
  ASSERT_TRUE(client.send("untouched"));
  EXPECT_EQ(server.receive(9), "untouched");
  hang.reset();
  EXPECT_EQ(deaf.receive_end(), 0);
  connect();
}

}  // namespace
}  // namespace breakwire::relay::testing
