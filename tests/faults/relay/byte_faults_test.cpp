// Faults about bytes: stall and latency, over real sockets.
#include "tests/faults/relay/connected_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::BytesReady;
using faults::Direction;

class ByteFaultsTest : public ConnectedTest {
 protected:
  ByteFaultsTest() { pass_both_ways(); }
};

TEST_F(ByteFaultsTest, StallHoldsEverythingAndLetsItFlowInOrderWhenOver) {
  auto stall = arm("stall", on<BytesReady>(faults::Hold{}));
  ASSERT_TRUE(client.send("one "));
  ASSERT_TRUE(server.send("uno "));
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(client.silent());
  ASSERT_TRUE(client.send("two "));
  ASSERT_TRUE(server.send("due "));
  const auto hits = recorder.wait_for<faults::FaultHit>(2);
  EXPECT_EQ(hits.front().action, "hold");
  EXPECT_EQ(client.info().tcpi_state, TCP_ESTABLISHED);
  stall.reset();
  ASSERT_TRUE(client.send("three"));
  EXPECT_EQ(server.receive(13), "one two three");
  EXPECT_EQ(client.receive(8), "uno due ");
  EXPECT_EQ(recorder.all<faults::FaultHit>().size(), 2u);  // the first per direction only
  EXPECT_TRUE(recorder.all<faults::ConnectionEnded>().empty());
}

TEST_F(ByteFaultsTest, StallOfOneDirectionLeavesTheOther) {
  const auto stall = arm("stall", on<BytesReady>(faults::Hold{}), {.direction = Direction::response});
  ASSERT_TRUE(server.send("held"));
  ASSERT_TRUE(client.send("flows"));
  EXPECT_EQ(server.receive(5), "flows");
  EXPECT_TRUE(client.silent());
}

TEST_F(ByteFaultsTest, StallAcceptsNewConnectionsAndHoldsTheirBytesToo) {
  auto stall = arm("stall", on<BytesReady>(faults::Hold{}));
  auto fresh = dial(port);
  ASSERT_TRUE(fresh.send("hello"));
  auto served = upstream.accept();
  EXPECT_TRUE(served.silent());
  stall.reset();
  EXPECT_EQ(served.receive(5), "hello");
}

TEST_F(ByteFaultsTest, StallHoldsFinAndResetAsWell) {
  auto fresh = dial(port);
  auto served = upstream.accept();
  auto stall = arm("stall", on<BytesReady>(faults::Hold{}));
  ASSERT_TRUE(client.send("last words"));
  client.close();
  fresh.reset();
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(served.silent());
  stall.reset();
  EXPECT_EQ(server.receive(10), "last words");
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_EQ(served.receive_end(), ECONNRESET);
}

TEST_F(ByteFaultsTest, StallFillsBoundedBuffersAndDeliversAllOfIt) {
  auto stall = arm("stall", on<BytesReady>(faults::Hold{}));
  const std::string pattern = "0123456789abcdefghijklmnopqrstuvwxyz!";
  constexpr size_t size = 32u << 20;
  const auto stuck_at = client.send_until_stuck(pattern, size, 200ms);
  EXPECT_LT(stuck_at, 16u << 20);  // one hop of kernel buffers and the relay's queue
  EXPECT_TRUE(server.silent(0ms));
  stall.reset();
  client.send_fin();
  std::string expected;
  while (expected.size() < stuck_at) expected += pattern;
  expected.resize(stuck_at);
  EXPECT_TRUE(server.receive(stuck_at) == expected);
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(ByteFaultsTest, AStallInsideAnotherStallHoldsUntilBothAreOver) {
  auto outer = arm("outer", on<BytesReady>(faults::Hold{}));
  ASSERT_TRUE(client.send("held"));
  recorder.wait_for<faults::FaultHit>();
  auto inner = arm("inner", on<BytesReady>(faults::Hold{}));
  outer.reset();
  EXPECT_TRUE(server.silent());
  inner.reset();
  EXPECT_EQ(server.receive(4), "held");
}

TEST_F(ByteFaultsTest, LatencyDelaysEveryByteAndIsPipelined) {
  constexpr auto delay = 600ms;
  const auto latency = arm("latency", on<BytesReady>(faults::Delay{delay}));
  const auto begin = Clock::now();
  for (char letter = '0'; letter <= '9'; ++letter) ASSERT_TRUE(client.send(std::string(1, letter)));
  EXPECT_EQ(server.receive(1), "0");
  EXPECT_GE(Clock::now() - begin, delay);
  EXPECT_EQ(server.receive(9), "123456789");
  EXPECT_LT(Clock::now() - begin, 2 * delay);  // not one after the other
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "delay");
}

TEST_F(ByteFaultsTest, DelaysOfSeveralFaultsAddUp) {
  const auto one = arm("one", on<BytesReady>(faults::Delay{150ms}));
  const auto two = arm("two", on<BytesReady>(faults::Delay{150ms}));
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(server.receive(1), "x");
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>(2).size(), 2u);
}

TEST_F(ByteFaultsTest, JitterNeverReorders) {
  auto count = std::make_shared<int>(0);
  const auto jitter = arm("jitter", std::make_shared<Scripted>([count](const faults::WireEvent& event) {
                            if (!std::holds_alternative<BytesReady>(event)) return faults::WireAction();
                            return faults::WireAction(faults::Delay{(*count)++ % 2 == 0 ? 200ms : 1ms});
                          }));
  std::string sent;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    sent += letter;
    ASSERT_TRUE(client.send(sent.substr(sent.size() - 1)));
  }
  EXPECT_EQ(server.receive(sent.size()), sent);
}

TEST_F(ByteFaultsTest, LatencyDelaysTheFinBehindTheBytes) {
  const auto latency = arm("latency", on<BytesReady>(faults::Delay{200ms}));
  ASSERT_TRUE(client.send("bye"));
  client.close();
  const auto begin = Clock::now();
  EXPECT_EQ(server.receive(3), "bye");
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_GE(Clock::now() - begin, 190ms);
}

TEST_F(ByteFaultsTest, WhatOnlyAClearedLatencyDelayedFlowsAtOnce) {
  auto latency = arm("latency", on<BytesReady>(faults::Delay{1h}));
  ASSERT_TRUE(client.send("late "));
  EXPECT_TRUE(server.silent());
  latency.reset();
  ASSERT_TRUE(client.send("prompt"));
  EXPECT_EQ(server.receive(11), "late prompt");
}

TEST_F(ByteFaultsTest, CountsEligibleAndHitConnections) {
  auto other = dial(port);
  auto other_server = upstream.accept();
  const auto stall = arm("stall", on<BytesReady>(faults::Hold{}), {.direction = Direction::request});
  ASSERT_TRUE(client.send("x"));
  recorder.wait_for<faults::FaultHit>();
  EXPECT_EQ(stall->tally(), (faults::FaultTally{.eligible = 2, .hits = 1}));
}

}  // namespace
}  // namespace breakwire::relay::testing
