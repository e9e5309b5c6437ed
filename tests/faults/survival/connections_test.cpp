// Thousands of connections come and go while faults of every kind are armed and cleared under them.
#include "tests/faults/relay/relay_test.h"
#include "tests/faults/survival/ledger.h"
#include "tests/faults/survival/random_faults.h"
#include "tests/faults/survival/resources.h"
#include "tests/faults/survival/tcp_crowd.h"

namespace breakwire::relay::testing {
namespace {

constexpr size_t how_many = 2'000;

/// All faults are cleared and all peers have left: what is still open has to notice it.
bool all_ended(const Ledger& ledger) {
  return ledger.wait_until(
      [](const Ledger::Sums& sums) { return sums.open_connections == 0 && sums.open_calls == 0; }, 30s);
}

class ConnectionsTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(ConnectionsTest, EachEndsOnceAndLeavesNoDescriptorWhateverIsArmedMeanwhile) {
  raise_descriptor_limit();
  const uint64_t seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto descriptors = open_descriptors();
  const size_t threads_before = threads();
  Ledger ledger;
  {
    TcpEcho server(seed);
    Network network(ledger);
    const EdgeId edge{"a->b"};
    const auto port = network.open({.id = edge, .upstream = TcpAddress{.port = server.port()}}).port;
    TcpCrowd crowd(port, seed, 50);
    TcpCrowd::Sums came;
    {
      Troublemaker trouble(network, {edge}, {.seed = seed, .longest_pause = 8ms});
      came = crowd.run([&](const TcpCrowd::Sums&) {
        return ledger.sums().connections >= how_many && trouble.armed().size() == wire_kinds().size();
      });
    }
    EXPECT_EQ(came.gone, came.dialled);
    EXPECT_GT(came.echoed, how_many / 20);
    EXPECT_GT(came.gave_up + came.cut_off, how_many / 20);
    // A client whose RST was lost in a black hole is only found out when somebody writes to it.
    server.hang_up();
    EXPECT_TRUE(all_ended(ledger)) << ledger.sums().open_connections << " connections are open";

    // The edge is as good as new.
    auto client = dial(port);
    ASSERT_TRUE(client.send("well?"));
    EXPECT_EQ(client.receive(5), "well?");
    client.send_fin();
    EXPECT_EQ(client.receive_end(), 0);
    EXPECT_TRUE(all_ended(ledger));
  }
  const auto sums = ledger.sums();
  EXPECT_GE(sums.connections, how_many);
  EXPECT_EQ(sums.wrong_ends, 0u);
  EXPECT_EQ(sums.open_connections, 0u);
  EXPECT_EQ(sums.open_calls, 0u);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(threads_settled(threads_before), threads_before);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConnectionsTest, ::testing::Values(1u, 2u));

TEST(RandomFaultsTest, EveryKindThatAnEdgeCanHaveCanBeDrawn) {
  Rng rng(1);
  const auto kinds = wire_kinds();
  EXPECT_GE(kinds.size(), 27u);
  for (const auto& kind : kinds) {
    for (size_t order = 0; order < 50; ++order) EXPECT_NO_THROW(draw_fault(kind, order, rng));
  }
}

}  // namespace
}  // namespace breakwire::relay::testing
