// `truncate` as the peers' kernels see it: exactly so many bytes, and then silence, a FIN or a RST.
#include "tests/faults/relay/connected_test.h"
#include "tests/faults/relay/real_kinds.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;

class TruncateTest : public ConnectedTest {
 protected:
  TruncateTest() { pass_both_ways(); }

  std::unique_ptr<ActiveFault> truncate(const std::string& with, faults::Match match = {}) {
    return arm("truncate", of_kind("truncate", with), std::move(match));
  }
};

TEST_F(TruncateTest, DeliversExactlySoManyBytesAndThenNothing) {
  const auto cut = truncate(R"({"bytes": "1000B"})");
  ASSERT_TRUE(client.send(std::string(600, 'a')));
  EXPECT_EQ(server.receive(600), std::string(600, 'a'));
  ASSERT_TRUE(server.send(std::string(1000, 'r')));  // the other direction counts for itself
  EXPECT_EQ(client.receive(1000), std::string(1000, 'r'));
  EXPECT_EQ(cut->tally(), (faults::FaultTally{.eligible = 1, .hits = 0})) << "nothing is missing yet";
  ASSERT_TRUE(client.send(std::string(600, 'b')));
  EXPECT_EQ(server.receive(400), std::string(400, 'b'));
  ASSERT_TRUE(client.send("more"));
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(client.silent());
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "swallow");
  EXPECT_EQ(cut->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_TRUE(recorder.all<faults::ConnectionEnded>().empty());
}

TEST_F(TruncateTest, ReadsAndAcknowledgesWhatItThrowsAway) {
  const auto cut = truncate(R"({"bytes": "0B"})", {.direction = Direction::request});
  constexpr size_t size = 32u << 20;  // more than buffers hold
  EXPECT_EQ(client.send_until_stuck(std::string(65536, 'x'), size, patience), size);
  ASSERT_TRUE(server.send("hello"));
  EXPECT_EQ(client.receive(5), "hello");
  EXPECT_TRUE(server.silent());
}

TEST_F(TruncateTest, StaysCutWhenItIsOverAndLeavesEveryOtherConnectionWhole) {
  auto other = dial(port);
  auto other_server = upstream.accept();
  auto cut = truncate(R"({"bytes": "3B"})");
  ASSERT_TRUE(client.send("abcdef"));
  EXPECT_EQ(server.receive(3), "abc");
  ASSERT_TRUE(other.send("xy"));
  EXPECT_EQ(other_server.receive(2), "xy");
  cut.reset();
  ASSERT_TRUE(client.send("ghi"));
  ASSERT_TRUE(other.send("z and more"));
  EXPECT_EQ(other_server.receive(10), "z and more");
  EXPECT_TRUE(server.silent());  // no byte may follow where some are missing
  ASSERT_TRUE(server.send("still here"));
  EXPECT_EQ(client.receive(10), "still here");
  client.send_fin();
  EXPECT_EQ(server.receive_end(), 0);
}

TEST_F(TruncateTest, LetsAPeersOwnResetThrough) {
  const auto cut = truncate(R"({"bytes": "3B"})");
  ASSERT_TRUE(client.send("abcdef"));
  EXPECT_EQ(server.receive(3), "abc");
  client.reset();
  EXPECT_EQ(server.receive_end(), ECONNRESET);
}

TEST_F(TruncateTest, ClosesBothWithTheLastByte) {
  const auto cut = truncate(R"({"bytes": "10B", "then": "close"})");
  ASSERT_TRUE(client.send("0123456789"));
  EXPECT_EQ(server.receive(10), "0123456789");
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_EQ(client.receive_end(), 0);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  EXPECT_FALSE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"truncate"});
}

TEST_F(TruncateTest, ResetsBothBehindTheLastByte) {
  const auto cut = truncate(R"({"bytes": "10B", "then": "reset"})");
  ASSERT_TRUE(client.send("01234"));
  EXPECT_EQ(server.receive(5), "01234");
  ASSERT_TRUE(client.send("56789and more"));
  EXPECT_EQ(server.receive(5), "56789");
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(client.receive_end(), ECONNRESET);
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"truncate"});
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "reset_connection");
}

TEST_F(TruncateTest, ResetsBehindBytesThatAnotherFaultKeepsBack) {
  const auto late = arm("late", of_kind("latency", R"({"delay": "300ms"})"));
  const auto narrow = arm("narrow", of_kind("bandwidth", R"({"rate": "100B/s"})"));
  const auto cut = truncate(R"({"bytes": "10B", "then": "reset"})");
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send("0123456789and more"));
  EXPECT_EQ(server.receive(10), "0123456789");
  EXPECT_GE(Clock::now() - begin, 380ms);
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(client.receive_end(), ECONNRESET);
}

TEST_F(TruncateTest, ACallerThatLeavesBeforeItsResetIsDueTakesItAlong) {
  auto late = arm("late", of_kind("latency", R"({"delay": "1h"})"), {.direction = Direction::request});
  const auto cut = truncate(R"({"bytes": "10B", "then": "reset"})");
  ASSERT_TRUE(client.send("0123456789and more"));
  recorder.wait_for<faults::FaultHit>(2);
  client.reset();
  EXPECT_EQ(server.receive_end(), ECONNRESET);
  EXPECT_EQ(wait_for_end().fault, FaultId{"truncate"});
}

TEST_F(TruncateTest, CountsWhatAnotherFaultHeldOnceItFlows) {
  auto stall = arm("stall", of_kind("stall"), {.direction = Direction::request});
  const auto cut = truncate(R"({"bytes": "10B"})", {.direction = Direction::request});
  ASSERT_TRUE(client.send("01234"));
  recorder.wait_for<faults::FaultHit>();
  ASSERT_TRUE(client.send("56789and more"));
  EXPECT_TRUE(server.silent());
  stall.reset();
  EXPECT_EQ(server.receive(10), "0123456789");
  EXPECT_TRUE(server.silent());
  client.send_fin();
  EXPECT_EQ(server.receive_end(), 0);
}

}  // namespace
}  // namespace breakwire::relay::testing
