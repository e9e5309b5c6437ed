// `bandwidth` and `slice` as the peers' kernels see them: every byte, in order, no faster than said.
#include <array>
#include <cstring>

#include "tests/faults/relay/real_kinds.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;

/// How many TCP segments with data have come: the kernel's own count, whenever they are read. (tcp_info's
/// tcpi_data_segs_in; the C library's structure ends before it.)
uint32_t segments_received(const Socket& socket) {
  constexpr size_t place = 152;
  std::array<char, 256> info{};
  socklen_t size = info.size();
  EXPECT_EQ(::getsockopt(socket.fd(), IPPROTO_TCP, TCP_INFO, info.data(), &size), 0);
  EXPECT_GE(size, place + sizeof(uint32_t));
  uint32_t count = 0;
  std::memcpy(&count, info.data() + place, sizeof count);
  return count;
}

std::string pattern(size_t count) {
  std::string text;
  while (text.size() < count) text += "0123456789abcdefghijklmnopqrstuvwxyz!";
  text.resize(count);
  return text;
}

class PaceFaultsTest : public RelayTest {
 protected:
  PaceFaultsTest() : port(open(upstream.port())), client(dial(port)), server(upstream.accept()) {
    EXPECT_TRUE(client.send("a"));
    EXPECT_EQ(server.receive(1), "a");
  }
  std::unique_ptr<ActiveFault> bandwidth(const std::string& rate, faults::Match match = {}) {
    return arm("bandwidth " + rate, of_kind("bandwidth", R"({"rate": ")" + rate + R"("})"), std::move(match));
  }

  Listener upstream;
  uint16_t port;
  Socket client;
  Socket server;
};

TEST_F(PaceFaultsTest, BandwidthDeliversEveryByteNoFasterThanItsRate) {
  const auto narrow = bandwidth("1MB/s");
  const std::string sent = pattern(300'000);
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(sent));
  EXPECT_TRUE(server.receive(sent.size()) == sent);
  EXPECT_GE(Clock::now() - begin, 298ms);
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "pace");
  EXPECT_EQ(narrow->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(PaceFaultsTest, BandwidthOfOneDirectionLeavesTheOther) {
  const auto narrow = bandwidth("1B/s", {.direction = Direction::response});
  const std::string sent = pattern(1'000'000);
  ASSERT_TRUE(server.send("uphill"));
  ASSERT_TRUE(client.send(sent));
  EXPECT_TRUE(server.receive(sent.size()) == sent);
  EXPECT_EQ(client.receive(1), "u");
}

TEST_F(PaceFaultsTest, BandwidthIsEachConnectionsAndDirectionsOwn) {
  const auto narrow = bandwidth("1B/s");
  auto other = dial(port);
  auto other_server = upstream.accept();
  for (Socket* from : {&client, &server, &other, &other_server}) ASSERT_TRUE(from->send("xyz"));
  // Each has its own first byte; shared, one would wait for the other.
  for (Socket* to : {&server, &client, &other_server, &other}) EXPECT_EQ(to->receive(1), "x");
  EXPECT_EQ(narrow->tally(), (faults::FaultTally{.eligible = 2, .hits = 4}));
}

TEST_F(PaceFaultsTest, WhatWaitedFlowsWhenTheBandwidthIsLifted) {
  auto narrow = bandwidth("100B/s");  // an hour's work
  const std::string sent = pattern(360'000);
  const auto stuck_at = client.send_until_stuck(sent, sent.size(), 200ms);
  EXPECT_EQ(server.receive(1), sent.substr(0, 1));
  narrow.reset();
  EXPECT_TRUE(server.receive(stuck_at - 1) == sent.substr(1, stuck_at - 1));
}

TEST_F(PaceFaultsTest, TheSenderFeelsTheBandwidth) {
  auto narrow = bandwidth("1kB/s");
  constexpr size_t size = 64u << 20;
  const auto stuck_at = client.send_until_stuck(pattern(3700), size, 200ms);
  EXPECT_LT(stuck_at, 16u << 20);  // one hop of kernel buffers and the relay's queue
  narrow.reset();
  client.send_fin();
  EXPECT_EQ(server.receive(stuck_at).size(), stuck_at);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(PaceFaultsTest, AFinAndAResetComeBehindThePacedBytes) {
  auto fresh = dial(port);
  auto served = upstream.accept();
  const auto narrow = bandwidth("10kB/s");
  const std::string sent = pattern(2000);
  ASSERT_TRUE(client.send(sent));
  ASSERT_TRUE(fresh.send(sent));
  recorder.wait_for<faults::FaultHit>(2);
  client.close();
  fresh.reset();
  // Read as it comes: so many small segments fill a receive buffer, and what a kernel has not taken, a RST
  // discards.
  EXPECT_EQ(served.receive(sent.size()), sent);
  EXPECT_EQ(served.receive_end(), ECONNRESET);
  EXPECT_EQ(server.receive(sent.size()), sent);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(PaceFaultsTest, AConnectionThatAnotherFaultClosesStillGetsItsPacedBytes) {
  const auto narrow = bandwidth("1kB/s");
  const std::string sent = pattern(2500);  // longer than the patience with a peer that does not answer a FIN
  ASSERT_TRUE(client.send(sent));
  recorder.wait_for<faults::FaultHit>();
  arm("close", of_kind("close")).reset();
  EXPECT_EQ(server.receive(sent.size()), sent);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(PaceFaultsTest, LatencyAndBandwidthAddUp) {
  const auto late = arm("late", of_kind("latency", R"({"delay": "200ms"})"));
  const auto narrow = bandwidth("10kB/s");
  const auto begin = Clock::now();
  const std::string sent = pattern(1000);
  ASSERT_TRUE(client.send(sent));
  EXPECT_EQ(server.receive(1), "0");
  EXPECT_GE(Clock::now() - begin, 200ms);
  EXPECT_EQ(server.receive(sent.size() - 1), sent.substr(1));
  EXPECT_GE(Clock::now() - begin, 298ms);
}

TEST_F(PaceFaultsTest, OfTwoBandwidthsTheNarrowerOneCounts) {
  auto wide = bandwidth("10MB/s");
  auto narrow = bandwidth("1B/s");
  ASSERT_TRUE(client.send("xyz"));
  EXPECT_EQ(server.receive(1), "x");
  wide.reset();
  EXPECT_TRUE(server.silent());
  narrow.reset();
  EXPECT_EQ(server.receive(2), "yz");
}

TEST_F(PaceFaultsTest, AStallInsideABandwidthHoldsAndThenTheRateCounts) {
  const auto narrow = bandwidth("10kB/s");
  auto stall = arm("stall", of_kind("stall"));
  const std::string sent = pattern(1000);
  ASSERT_TRUE(client.send(sent));
  recorder.wait_for<faults::FaultHit>();
  EXPECT_TRUE(server.silent());
  const auto begin = Clock::now();
  stall.reset();
  EXPECT_EQ(server.receive(sent.size()), sent);
  EXPECT_GE(Clock::now() - begin, 98ms);
}

TEST_F(PaceFaultsTest, SliceDeliversTheSameBytesInSmallSegments) {
  const auto crumbs = arm("slice", of_kind("slice", R"({"size": "7B", "gap": "20ms"})"));
  const uint32_t before = segments_received(server);
  const std::string sent = pattern(70);
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(sent));
  EXPECT_EQ(server.receive(sent.size()), sent);
  EXPECT_GE(Clock::now() - begin, 9 * 20ms);
  EXPECT_EQ(segments_received(server) - before, 10u);
  EXPECT_EQ(crumbs->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(PaceFaultsTest, WhatWasSlicedFlowsWhenItIsOver) {
  auto crumbs = arm("slice", of_kind("slice", R"({"size": "1B", "gap": "1h"})"));
  const uint32_t before = segments_received(server);
  ASSERT_TRUE(client.send("one by one"));
  EXPECT_EQ(server.receive(1), "o");
  EXPECT_TRUE(server.silent());
  crumbs.reset();
  EXPECT_EQ(server.receive(9), "ne by one");
  EXPECT_EQ(segments_received(server) - before, 2u);
}

}  // namespace
}  // namespace breakwire::relay::testing
