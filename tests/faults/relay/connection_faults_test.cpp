// Faults about connections, as the peers' kernels see them: refuse, reset, close, accept and say nothing.
#include <algorithm>

#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::Armed;
using faults::BytesReady;
using faults::ConnectionFound;
using faults::ConnectionOffered;

class ConnectionFaultsTest : public RelayTest {
 protected:
  ConnectionFaultsTest() : port(open(upstream.port())) {}

  void connect() {
    client = dial(port);
    server = upstream.accept();
    ASSERT_TRUE(client.send("x"));
    ASSERT_EQ(server.receive(1), "x");
  }
  int error_of_dialling() {
    int error = 0;
    dial(port, error);
    return error;
  }

  Listener upstream;
  uint16_t port;
  Socket client;
  Socket server;
};

TEST_F(ConnectionFaultsTest, RefusesConnectionsAndIsBackOnTheSamePort) {
  connect();
  auto refuse = arm("refuse", on<Armed>(faults::StopListening{}));
  EXPECT_EQ(error_of_dialling(), ECONNREFUSED);
  EXPECT_EQ(error_of_dialling(), ECONNREFUSED);
  ASSERT_TRUE(client.send("still here"));  // what exists lives on
  EXPECT_EQ(server.receive(10), "still here");
  const auto hit = recorder.wait_for<faults::FaultHit>().front();
  EXPECT_EQ(hit.fault, FaultId{"refuse"});
  EXPECT_EQ(hit.connection, ConnectionId{});
  EXPECT_EQ(hit.action, "stop_listening");
  refuse.reset();
  connect();  // the same port
}

TEST_F(ConnectionFaultsTest, KeepsThePortToItselfWhileRefusing) {
  const auto refuse = arm("refuse", on<Armed>(faults::StopListening{}));
  Socket intruder(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(port);
  EXPECT_EQ(::bind(intruder.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), -1);
  EXPECT_EQ(errno, EADDRINUSE);
}

TEST_F(ConnectionFaultsTest, RefusesUntilTheLastOfTwoOverlappingFaultsIsOver) {
  auto first = arm("first", on<Armed>(faults::StopListening{}));
  auto second = arm("second", on<Armed>(faults::StopListening{}));
  first.reset();
  EXPECT_EQ(error_of_dialling(), ECONNREFUSED);
  second.reset();
  connect();
}

TEST_F(ConnectionFaultsTest, ResetsAnExistingConnectionOnBothSides) {
  connect();
  Instant armed_at{};
  const auto reset = network->arm(
      edge, {.id = {"cut"}, .kind = "test", .fault = on<ConnectionFound>(faults::ResetConnection{})},
      &armed_at);
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(client.info().tcpi_state, TCP_CLOSE);
  EXPECT_EQ(server.info().tcpi_state, TCP_CLOSE);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"cut"});
  EXPECT_GE(ended.at, armed_at);
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "reset_connection");
  EXPECT_EQ(reset->tally().hits, 1u);
  connect();  // new ones are not touched
}

TEST_F(ConnectionFaultsTest, ResetsOnlyNewConnectionsWhenToldSo) {
  connect();
  const auto reset = arm("cut", std::make_shared<Scripted>([](const faults::WireEvent& event) {
                           const bool connection = std::holds_alternative<ConnectionFound>(event) ||
                                                   std::holds_alternative<ConnectionOffered>(event);
                           return connection ? faults::WireAction(faults::ResetConnection{})
                                             : faults::WireAction(faults::Forward{});
                         }),
                         {.connections = faults::Connections::fresh});
  auto fresh = dial(port);
  EXPECT_EQ(fresh.receive_end(), ECONNRESET);
  EXPECT_TRUE(upstream.nobody_connects());
  ASSERT_TRUE(client.send("untouched"));
  EXPECT_EQ(server.receive(9), "untouched");
}

TEST_F(ConnectionFaultsTest, ResetsInTheMiddleOfTheBytesAndDeliversNothingOfTheLastChunk) {
  connect();
  const auto cut = arm("cut", on<BytesReady>(faults::ResetConnection{}));
  ASSERT_TRUE(client.send("never seen"));
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  EXPECT_EQ(wait_for_end().fault, FaultId{"cut"});
}

TEST_F(ConnectionFaultsTest, ClosesWithFinAndDeliversWhatWasForwarded) {
  connect();
  ASSERT_TRUE(server.send("before"));
  ASSERT_EQ(client.receive(6), "before");
  const auto close = arm("close", on<ConnectionFound>(faults::CloseConnection{}));
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive_end(), 0);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  EXPECT_FALSE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"close"});
}

TEST_F(ConnectionFaultsTest, ClosesANewConnectionWithFin) {
  const auto close = arm("close", on<ConnectionOffered>(faults::CloseConnection{}));
  client = dial(port);
  ASSERT_TRUE(client.send("unread bytes must not turn the FIN into a RST"));
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_TRUE(upstream.nobody_connects());
  EXPECT_EQ(wait_for_end().fault, FaultId{"close"});
}

TEST_F(ConnectionFaultsTest, AcceptsAndSaysNothing) {
  connect();
  auto hang = arm("hang", on<ConnectionOffered>(faults::Mute{}));
  auto muted = dial(port);
  ASSERT_TRUE(muted.send("anybody there?"));
  EXPECT_TRUE(muted.silent());
  EXPECT_EQ(muted.info().tcpi_state, TCP_ESTABLISHED);
  EXPECT_TRUE(upstream.nobody_connects());
  ASSERT_TRUE(client.send("untouched"));
  EXPECT_EQ(server.receive(9), "untouched");
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "mute");

  hang.reset();
  EXPECT_TRUE(muted.silent());  // it stays so
  connect();                    // and new ones are as before
}

TEST_F(ConnectionFaultsTest, NoticesThatAMutedPeerLeavesAlthoughItsBytesStayUnread) {
  const auto hang = arm("hang", on<ConnectionOffered>(faults::Mute{}));
  client = dial(port);
  ASSERT_TRUE(client.send("unread"));
  client.close();
  const auto fin = wait_for_end();
  EXPECT_EQ(fin.by, faults::Peer::downstream);
  EXPECT_FALSE(fin.reset);

  client = dial(port);
  ASSERT_TRUE(client.send("unread"));
  client.reset();
  EXPECT_TRUE(recorder.wait_for<faults::ConnectionEnded>(2).back().reset);
}

TEST_F(ConnectionFaultsTest, ClosesMutedConnectionsWhenClearedIfAsked) {
  auto hang = arm("hang", on<ConnectionOffered>(faults::Mute{.close_when_cleared = true}));
  client = dial(port);
  ASSERT_TRUE(client.send("unread"));
  EXPECT_TRUE(client.silent());
  hang.reset();
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(wait_for_end().fault, FaultId{"hang"});
}

TEST_F(ConnectionFaultsTest, DialsLateWhenTheConnectionIsDelayed) {
  const auto late = arm("late", on<ConnectionOffered>(faults::Delay{300ms}));
  const auto begin = Clock::now();
  client = dial(port);
  ASSERT_TRUE(client.send("x"));
  server = upstream.accept();
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_EQ(server.receive(1), "x");
}

TEST_F(ConnectionFaultsTest, DialsAtOnceWhenTheDelayIsCleared) {
  auto late = arm("late", on<ConnectionOffered>(faults::Delay{1h}));
  client = dial(port);
  ASSERT_TRUE(client.send("x"));
  EXPECT_TRUE(upstream.nobody_connects());
  late.reset();
  server = upstream.accept();
  EXPECT_EQ(server.receive(1), "x");
}

TEST_F(ConnectionFaultsTest, HealsEvenAfterTheNetworkIsGone) {
  auto refuse = arm("refuse", on<Armed>(faults::StopListening{}));
  network.reset();
  EXPECT_EQ(refuse->tally().hits, 1u);
  refuse.reset();
  EXPECT_EQ(error_of_dialling(), ECONNREFUSED);
}

}  // namespace
}  // namespace breakwire::relay::testing
