// The queue towards a peer, with literal times.
#include "faults/relay/egress.h"

#include <gtest/gtest.h>

#include "tests/faults/relay/egress_reading.h"

namespace breakwire::relay {
namespace {

using Kind = Egress::Kind;

Egress::Terms delayed(Duration delay, const char* by = "slow") {
  return {.delay = delay, .delayed_by = {FaultId{by}}, .held_by = {}, .paces = {}};
}
Egress::Terms held(const char* by) {
  return {.delay = {}, .delayed_by = {}, .held_by = FaultId{by}, .paces = {}};
}
const auto nothing_more = [](const Egress::Queued&) { return Egress::Terms{}; };

TEST(EgressTest, KeepsTheOrderWhateverTheDelays) {
  Egress egress;
  egress.push("a", delayed(300ms), at(0ms));
  egress.push("b", delayed(1ms), at(0ms));
  egress.push("c", {}, at(0ms));
  EXPECT_EQ(leaving(egress, at(299ms)), "");
  EXPECT_EQ(egress.next_release(at(0ms)), at(300ms));
  EXPECT_EQ(leaving(egress, at(300ms)), "abc");
  EXPECT_TRUE(egress.empty());
  EXPECT_EQ(egress.weight(), 0u);
}

TEST(EgressTest, CountsEachDelayFromItsOwnArrival) {
  Egress egress;
  egress.push("a", delayed(100ms), at(0ms));
  egress.push("b", delayed(100ms), at(20ms));
  EXPECT_EQ(leaving(egress, at(100ms)), "a");
  EXPECT_EQ(egress.next_release(at(100ms)), at(120ms));
  EXPECT_EQ(leaving(egress, at(120ms)), "b");
}

TEST(EgressTest, HoldsWhatFollowsBehindWhatIsHeld) {
  Egress egress;
  egress.push("a", held("stall"), at(0ms));
  egress.push("b", {}, at(0ms));
  EXPECT_EQ(leaving(egress, at(1h)), "");
  EXPECT_EQ(egress.next_release(at(1h)), std::nullopt);  // time alone does not release it
  EXPECT_TRUE(egress.kept_by_fault(at(1h)));
  egress.reconsider(FaultId{"other"}, at(1h), nothing_more);
  EXPECT_EQ(leaving(egress, at(1h)), "");
  egress.reconsider(FaultId{"stall"}, at(1h), nothing_more);
  EXPECT_EQ(leaving(egress, at(1h)), "ab");
}

TEST(EgressTest, LetsWhatWasHeldPassTheFaultsThatRemainAsIfItCameNow) {
  Egress egress;
  egress.push("a", held("stall"), at(0ms));
  egress.reconsider(FaultId{"stall"}, at(50ms), [](const Egress::Queued& item) {
    EXPECT_EQ(item.bytes.size(), 1u);
    EXPECT_EQ(item.from_end, 1u);
    return delayed(100ms);
  });
  EXPECT_EQ(egress.next_release(at(50ms)), at(150ms));
}

TEST(EgressTest, LeavesTheDelayOfOtherFaultsWhenOneIsCleared) {
  Egress egress;
  egress.push(
      "a", {.delay = 300ms, .delayed_by = {FaultId{"slow"}, FaultId{"slower"}}, .held_by = {}, .paces = {}},
      at(0ms));
  egress.reconsider(FaultId{"slower"}, at(10ms), [](const Egress::Queued&) { return delayed(100ms); });
  EXPECT_EQ(egress.next_release(at(10ms)), at(100ms));  // from its arrival
}

TEST(EgressTest, SaysHowFarFromTheEndEachItemIsThatItAsksAbout) {
  Egress egress;
  egress.push("abc", held("stall"), at(0ms));
  egress.push("de", delayed(1h), at(0ms));
  egress.push("f", held("stall"), at(0ms));
  egress.push_end(Kind::fin, held("stall"), at(0ms));
  std::vector<std::pair<size_t, uint64_t>> asked;
  egress.reconsider(FaultId{"stall"}, at(0ms), [&](const Egress::Queued& item) {
    asked.emplace_back(item.bytes.size(), item.from_end);
    return Egress::Terms{};
  });
  EXPECT_EQ(asked, (std::vector<std::pair<size_t, uint64_t>>{{3, 6}, {1, 1}, {0, 0}}));
}

TEST(EgressTest, DropsItsLastBytesButNotTheFinBehindThem) {
  Egress egress;
  egress.push("abc", delayed(100ms), at(0ms));
  egress.push("def", delayed(100ms), at(0ms));
  egress.push("ghi", delayed(100ms), at(0ms));
  egress.push_end(Kind::fin, {}, at(0ms));
  const size_t weight = egress.weight();
  egress.drop_last(4);
  EXPECT_LT(egress.weight(), weight - 4);
  EXPECT_EQ(leaving(egress, at(1s)), "abcde|");
  EXPECT_EQ(egress.weight(), 0u);
}

TEST(EgressTest, DropsNothingThatHasLeft) {
  Egress egress;
  egress.push("abcdef", {}, at(0ms));
  egress.consume(4, at(0ms));
  egress.drop_last(6);
  EXPECT_TRUE(egress.empty());
  EXPECT_EQ(egress.weight(), 0u);
  egress.push("g", delayed(1ms), at(0ms));
  EXPECT_EQ(leaving(egress, at(1s)), "g");
}

TEST(EgressTest, SendsTheFinAfterTheBytes) {
  Egress egress;
  egress.push("a", delayed(100ms), at(0ms));
  egress.push_end(Kind::fin, {}, at(0ms));
  EXPECT_TRUE(egress.ended());
  EXPECT_EQ(leaving(egress, at(99ms)), "");
  EXPECT_EQ(leaving(egress, at(100ms)), "a|");
}

TEST(EgressTest, ResetsPastASlowReaderButNotPastADelay) {
  Egress egress;
  egress.push("unread", {}, at(0ms));
  egress.push_end(Kind::reset, {}, at(0ms));
  EXPECT_TRUE(egress.reset_due(at(0ms)));

  Egress delaying;
  delaying.push("late", delayed(100ms), at(0ms));
  delaying.push_end(Kind::reset, delayed(50ms), at(0ms));
  EXPECT_FALSE(delaying.reset_due(at(99ms)));
  EXPECT_TRUE(delaying.reset_due(at(100ms)));
}

TEST(EgressTest, AResetReplacesAFinThatHasNotLeft) {
  Egress egress;
  egress.push_end(Kind::fin, held("stall"), at(0ms));
  egress.push_end(Kind::reset, {}, at(0ms));
  EXPECT_TRUE(egress.reset_due(at(0ms)));
}

TEST(EgressTest, WeighsWhatKeepingSmallPiecesCosts) {
  Egress egress;
  for (int count = 0; count < 1000; ++count) egress.push("x", delayed(1ms), at(0ms));
  EXPECT_GT(egress.weight(), 32'000u);
  Egress merged;
  for (int count = 0; count < 1000; ++count) merged.push("x", {}, at(0ms));
  EXPECT_LT(merged.weight(), 2'000u);
}

}  // namespace
}  // namespace breakwire::relay
