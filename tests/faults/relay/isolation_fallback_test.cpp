// What the relay does where no packet may be dropped, and that it says so.
#include "faults/relay/packet_filter.h"
#include "tests/faults/relay/isolation.h"

namespace breakwire::relay::testing {
namespace {

TEST(PacketFilterTest, KnowsWhetherPacketsCanBeLostHere) {
  EXPECT_EQ(PacketFilters().effective(), packets_can_be_lost_here());
  const WithoutRights drop;
  EXPECT_EQ(PacketFilters().effective(), packets_can_be_lost_here());
}

/// The relay may drop no packets: what it does then, and that it says so.
class FallbackTest : public Connected {
 protected:
  void SetUp() override {
    const WithoutRights drop;
    if (packets_can_be_lost_here()) GTEST_SKIP() << "this kernel lets everybody drop packets";
    network = std::make_unique<Network>(recorder);
    connect();
  }
};

TEST_F(FallbackTest, BytesAreHeldAcknowledgedAndToldAsHeld) {
  auto fault = blackhole();
  ASSERT_TRUE(client.send("held"));
  ASSERT_TRUE(server.send("held"));
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(client.silent());
  EXPECT_TRUE(all_acknowledged(client));
  EXPECT_TRUE(all_acknowledged(server));
  EXPECT_EQ(actions(), "hold ");
  fault.reset();
  EXPECT_EQ(server.receive(4), "held");
  EXPECT_EQ(client.receive(4), "held");
}

TEST_F(FallbackTest, ANewConnectionIsAcceptedAndReachesNobodyUntilItIsOver) {
  auto fault = blackhole();
  auto fresh = dial(port);
  ASSERT_TRUE(fresh.send("hello"));
  EXPECT_TRUE(upstream.nobody_connects());
  EXPECT_TRUE(fresh.silent());
  fault.reset();
  auto served = upstream.accept();
  EXPECT_EQ(served.receive(5), "hello");
}

TEST_F(FallbackTest, AConnectionThatComesUnderTwoFaultsIsDeadUntilBothAreOver) {
  auto both = blackhole();
  auto one = half_open("request");
  auto fresh = dial(port);
  ASSERT_TRUE(fresh.send("hello"));
  EXPECT_TRUE(fresh.silent());
  both.reset();
  EXPECT_TRUE(upstream.nobody_connects());
  EXPECT_TRUE(fresh.silent());
  one.reset();
  auto served = upstream.accept();
  EXPECT_EQ(served.receive(5), "hello");
}

TEST_F(FallbackTest, OneWayIsHeldWhenOneIsDead) {
  auto fault = half_open("response");
  ASSERT_TRUE(client.send("order"));
  EXPECT_EQ(server.receive(5), "order");
  ASSERT_TRUE(server.send("held"));
  EXPECT_TRUE(client.silent());
  fault.reset();
  EXPECT_EQ(client.receive(4), "held");
}

TEST_F(FallbackTest, FinAndResetAreHeldBehindTheBytes) {
  auto fresh = dial(port);
  auto served = upstream.accept();
  auto fault = blackhole();
  ASSERT_TRUE(client.send("last words"));
  client.close();
  fresh.reset();
  EXPECT_TRUE(server.silent());
  EXPECT_TRUE(served.silent());
  fault.reset();
  EXPECT_EQ(server.receive(10), "last words");
  EXPECT_EQ(server.receive_end(), 0);
  EXPECT_EQ(served.receive_end(), ECONNRESET);
}

}  // namespace
}  // namespace breakwire::relay::testing
