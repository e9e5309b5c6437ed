// The queue towards a peer when bytes leave piece by piece, with literal times.
#include <gtest/gtest.h>

#include "tests/faults/relay/egress_reading.h"

namespace breakwire::relay {
namespace {

using Kind = Egress::Kind;

Egress::Terms paced(size_t bytes, Duration gap, Duration delay = {}) {
  Egress::Terms terms{.delay = delay, .delayed_by = {}, .held_by = {}, .paces = {}};
  if (delay > Duration::zero()) terms.delayed_by.push_back({"late"});
  terms.paces.push_back({.by = {"pace"}, .pace = {.bytes = bytes, .gap = gap}});
  return terms;
}
const auto nothing_more = [](const Egress::Queued&) { return Egress::Terms{}; };

TEST(EgressPaceTest, LetsThePiecesGoOneByOne) {
  Egress egress;
  egress.push("abcdefgh", paced(3, 10ms), at(0ms));
  EXPECT_EQ(leaving(egress, at(0ms), " "), "abc");
  EXPECT_EQ(egress.next_release(at(0ms)), at(10ms));
  EXPECT_EQ(leaving(egress, at(9ms), " "), "");
  EXPECT_EQ(leaving(egress, at(10ms), " "), "def");
  EXPECT_EQ(leaving(egress, at(20ms), " "), "gh");
  EXPECT_TRUE(egress.empty());
  EXPECT_EQ(egress.weight(), 0u);
}

TEST(EgressPaceTest, FillsAPieceFromSeveralChunks) {
  Egress egress;
  for (const char* chunk : {"a", "b", "c", "d"}) egress.push(chunk, paced(3, 10ms), at(0ms));
  EXPECT_EQ(leaving(egress, at(0ms), " "), "a b c");
  EXPECT_EQ(leaving(egress, at(10ms), " "), "d");
}

TEST(EgressPaceTest, GoesOnWithAPieceThatThePeerTookInPart) {
  Egress egress;
  egress.push("abcdef", paced(3, 10ms), at(0ms));
  ASSERT_EQ(egress.front(at(0ms))->bytes, "abc");
  egress.consume(1, at(0ms));
  EXPECT_EQ(leaving(egress, at(1ms), " "), "bc");
  EXPECT_EQ(egress.next_release(at(1ms)), at(10ms));
}

TEST(EgressPaceTest, PacesBehindTheDelay) {
  Egress egress;
  egress.push("abcdef", paced(3, 10ms, 100ms), at(0ms));
  EXPECT_EQ(leaving(egress, at(99ms), " "), "");
  EXPECT_EQ(egress.next_release(at(0ms)), at(100ms));
  EXPECT_EQ(leaving(egress, at(100ms), " "), "abc");
  EXPECT_EQ(leaving(egress, at(110ms), " "), "def");
}

TEST(EgressPaceTest, SendsTheFinBehindTheLastPiece) {
  Egress egress;
  egress.push("abcdef", paced(3, 10ms), at(0ms));
  egress.push_end(Kind::fin, {}, at(0ms));
  EXPECT_EQ(leaving(egress, at(0ms), " "), "abc");
  EXPECT_TRUE(egress.kept_by_fault(at(5ms)));
  EXPECT_EQ(leaving(egress, at(10ms), " "), "def|");
}

TEST(EgressPaceTest, KeepsAResetBehindThePiecesButNotBehindASlowPeer) {
  Egress egress;
  egress.push("abcdef", paced(3, 10ms), at(0ms));
  egress.push_end(Kind::reset, {}, at(0ms));
  EXPECT_EQ(egress.front(at(0ms))->bytes, "abc");
  egress.consume(3, at(0ms));
  EXPECT_FALSE(egress.reset_due(at(0ms)));
  // Its time has come, and the peer takes no more of it than this.
  egress.consume(1, at(10ms));
  EXPECT_TRUE(egress.reset_due(at(10ms)));
}

TEST(EgressPaceTest, LetsEverythingGoWhenThePaceIsLifted) {
  Egress egress;
  for (const char* chunk : {"abc", "def", "ghi"}) egress.push(chunk, paced(1, 1h), at(0ms));
  EXPECT_EQ(leaving(egress, at(0ms), " "), "a");
  egress.reconsider(FaultId{"other"}, at(1ms), nothing_more);
  EXPECT_EQ(leaving(egress, at(1ms), " "), "");
  egress.reconsider(FaultId{"pace"}, at(1ms), [](const Egress::Queued& item) {
    EXPECT_EQ(item.gone, item.from_end == 9 ? 1u : 0u);
    return Egress::Terms{};
  });
  EXPECT_EQ(leaving(egress, at(1ms), " "), "bc def ghi");
}

TEST(EgressPaceTest, TakesWhatThePaceLetsGoInAMomentAndNoMore) {
  const auto filled = [](const Egress::Terms& terms) {
    Egress egress;
    size_t bytes = 0;
    for (; egress.has_room(at(0ms)); bytes += 1000) egress.push(std::string(1000, 'x'), terms, at(0ms));
    return bytes;
  };
  EXPECT_NEAR(static_cast<double>(filled(paced(100, 1ms))), 67'500, 1000);               // 100 KB/s
  EXPECT_NEAR(static_cast<double>(filled(paced(10'000, 1ms))), 265'500, 1000);           // 10 MB/s
  EXPECT_NEAR(static_cast<double>(filled(paced(10'000, 1ms, 100ms))), 1'265'500, 1000);  // and 100 ms' worth
  EXPECT_LT(filled(paced(10'000'000, 1ms)), 5u << 20);
  auto held = paced(10'000'000, 1ms);
  held.held_by = {"stall"};
  EXPECT_LT(filled(held), 2u << 20);
}

}  // namespace
}  // namespace breakwire::relay
