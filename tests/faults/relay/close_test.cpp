// `close` as the peers' kernels see it: FIN, and exactly what was to be delivered before it.
#include "tests/faults/relay/connected_test.h"
#include "tests/faults/relay/real_kinds.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;

class CloseTest : public ConnectedTest {
 protected:
  CloseTest() { pass_both_ways(); }

  std::unique_ptr<ActiveFault> arm_close(const std::string& with = "{}", faults::Match match = {}) {
    return arm("close", of_kind("close", with), std::move(match));
  }
  void expect_closed_by_the_fault() {
    const auto ended = wait_for_end();
    EXPECT_EQ(ended.by, faults::Peer::relay);
    EXPECT_FALSE(ended.reset);
    EXPECT_EQ(ended.fault, FaultId{"close"});
    const auto hit = recorder.wait_for<faults::FaultHit>().front();
    EXPECT_EQ(hit.fault, FaultId{"close"});
    EXPECT_EQ(hit.action, "close_connection");
  }
};

TEST_F(CloseTest, IsAFinToBothPeersAndNoRst) {
  arm_close().reset();  // instantaneous
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_EQ(client.info().tcpi_state, TCP_CLOSE_WAIT);
  EXPECT_EQ(server.info().tcpi_state, TCP_CLOSE_WAIT);
  expect_closed_by_the_fault();
}

TEST_F(CloseTest, ClosesNewConnectionsAsLongAsItLasts) {
  auto close = arm_close("{}", {.connections = faults::Connections::fresh});
  auto fresh = dial(port);
  EXPECT_EQ(fresh.receive_end(), 0);
  EXPECT_TRUE(upstream.nobody_connects());
  ASSERT_TRUE(client.send("untouched"));
  EXPECT_EQ(server.receive(9), "untouched");
  close.reset();
  auto next = dial(port);
  EXPECT_TRUE(next.send("hello"));
  EXPECT_EQ(upstream.accept().receive(5), "hello");
}

TEST_F(CloseTest, WithADelayLetsAConnectionLiveForThatLong) {
  const auto begin = Clock::now();
  const auto close = arm_close(R"({"delay": "300ms"})");
  auto fresh = dial(port);
  auto served = upstream.accept();
  for (auto [from, to] : {std::pair{&client, &server}, std::pair{&fresh, &served}}) {
    ASSERT_TRUE(from->send("in use"));
    EXPECT_EQ(to->receive(6), "in use");
  }
  EXPECT_EQ(close->tally(), (faults::FaultTally{.eligible = 2, .hits = 0}));
  for (Socket* peer : {&client, &server, &fresh, &served}) EXPECT_EQ(peer->receive_end(), 0);
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_EQ(close->tally(), (faults::FaultTally{.eligible = 2, .hits = 2}));
  expect_closed_by_the_fault();
}

TEST_F(CloseTest, LeavesAConnectionAloneWhoseDelayTheFaultDidNotOutlive) {
  auto close = arm_close(R"({"delay": "200ms"})");
  EXPECT_EQ(close->heal().tally, (faults::FaultTally{.eligible = 1, .hits = 0}));
  EXPECT_TRUE(client.silent(300ms));
  ASSERT_TRUE(client.send("still here"));
  EXPECT_EQ(server.receive(10), "still here");
  EXPECT_TRUE(recorder.all<faults::FaultHit>().empty());
}

TEST_F(CloseTest, WithBytesDeliversExactlySoManyAndThenAFin) {
  const auto close = arm_close(R"({"bytes": "1000B"})");
  ASSERT_TRUE(client.send(std::string(600, 'a')));
  EXPECT_EQ(server.receive(600), std::string(600, 'a'));
  ASSERT_TRUE(server.send(std::string(999, 'r')));  // the other direction counts for itself
  EXPECT_EQ(client.receive(999), std::string(999, 'r'));
  ASSERT_TRUE(client.send(std::string(600, 'b')));
  EXPECT_EQ(server.receive(400), std::string(400, 'b'));
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_EQ(client.receive_end(), 0);
  expect_closed_by_the_fault();
}

TEST_F(CloseTest, ClosesAsSoonAsTheLastByteIsThereWithoutWaitingForMore) {
  const auto close = arm_close(R"({"bytes": "10B"})", {.direction = Direction::response});
  ASSERT_TRUE(client.send(std::string(50, 'q')));
  EXPECT_EQ(server.receive(50), std::string(50, 'q'));
  ASSERT_TRUE(server.send("0123456789"));
  EXPECT_EQ(client.receive(10), "0123456789");
  EXPECT_EQ(client.receive_end(), 0);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(CloseTest, ComesBehindBytesThatAnotherFaultDelays) {
  const auto slow = arm("slow", of_kind("latency", R"({"delay": "300ms"})"));
  const auto close = arm_close(R"({"bytes": "10B"})");
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send("0123456789and more"));
  EXPECT_EQ(server.receive(10), "0123456789");
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(CloseTest, CountsWhatAnotherFaultHeldOnceItFlows) {
  auto stall = arm("stall", of_kind("stall"), {.direction = Direction::request});
  const auto close = arm_close(R"({"bytes": "10B"})", {.direction = Direction::request});
  ASSERT_TRUE(client.send("01234"));
  recorder.wait_for<faults::FaultHit>();
  ASSERT_TRUE(client.send("56789and more"));
  EXPECT_TRUE(server.silent());
  stall.reset();
  EXPECT_EQ(server.receive(10), "0123456789");
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_EQ(client.receive_end(), 0);
}

}  // namespace
}  // namespace breakwire::relay::testing
