// Paces in literal times.
#include "faults/pacer.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/rng.h"

namespace breakwire::faults {
namespace {

Instant at(Duration since_start) { return Instant(1h) + since_start; }

std::vector<Pacing> every(Duration gap, size_t bytes, const char* by = "pace") {
  return {{.by = {by}, .pace = {.bytes = bytes, .gap = gap}}};
}
std::vector<Pacing> at_a_rate(Duration gap, size_t bytes) {
  return {{.by = {"pace"}, .pace = {.bytes = bytes, .gap = gap, .keeps_rate = true}}};
}

TEST(PacerTest, LetsAPieceGoAtOnceAndTheNextAfterTheGap) {
  Pacer pacer;
  const auto paces = every(10ms, 100);
  EXPECT_EQ(pacer.allowance(paces, at(0ms)), 100u);
  pacer.left(paces, 100, at(0ms), at(0ms));
  EXPECT_EQ(pacer.allowance(paces, at(0ms)), 0u);
  EXPECT_EQ(pacer.allowance(paces, at(9999us)), 0u);
  EXPECT_EQ(pacer.next(paces), at(10ms));
  EXPECT_EQ(pacer.allowance(paces, at(10ms)), 100u);
}

TEST(PacerTest, ASmallerPieceCostsItsShareOfTheGap) {
  Pacer pacer;
  const auto paces = every(10ms, 100);
  pacer.left(paces, 30, at(0ms), at(0ms));
  EXPECT_EQ(pacer.allowance(paces, at(1ms)), 70u);  // the rest of the piece
  EXPECT_EQ(pacer.allowance(paces, at(3ms)), 100u);
}

TEST(PacerTest, APieceMayConsistOfSeveralWrites) {
  Pacer pacer;
  const auto paces = every(10ms, 100);
  pacer.left(paces, 30, at(0ms), at(0ms));
  pacer.left(paces, 70, at(1ms), at(1ms));
  EXPECT_EQ(pacer.allowance(paces, at(1ms)), 0u);
  EXPECT_EQ(pacer.next(paces), at(10ms));
}

/// Sends for 10 s as much as it may, by timers of our own; answers how much that was.
uint64_t sent_in_10s(const std::vector<Pacing>& paces, const std::function<Duration()>& lateness) {
  Pacer pacer;
  uint64_t sent = 0;
  for (Instant now = at(0ms); now < at(10s);) {
    while (const size_t count = pacer.allowance(paces, now)) {
      pacer.left(paces, count, at(0ms), now);
      sent += count;
    }
    now = pacer.next(paces) + lateness();
  }
  return sent;
}

TEST(PacerTest, KeepsARateHoweverLateTimersAre) {
  struct Rate {
    Duration gap;
    size_t bytes;
  };
  for (const Rate rate : {Rate{1ms, 100}, Rate{1ms, 1'000}, Rate{1ms, 100'000}, Rate{10ms, 1'000}}) {
    Rng rng(rate.bytes);
    const auto sent = sent_in_10s(at_a_rate(rate.gap, rate.bytes), [&] {
      return Duration(
          static_cast<int64_t>(rng.uniform() < 0.01 ? rng.uniform(0, 40e6) : rng.uniform(0, 200e3)));
    });
    const double whole = static_cast<double>(10s / rate.gap) * static_cast<double>(rate.bytes);
    EXPECT_NEAR(static_cast<double>(sent), whole, whole / 200);
  }
}

TEST(PacerTest, NeverLetsMoreGoThanTheRatePlusOnePiece) {
  const auto sent = sent_in_10s(at_a_rate(1ms, 100), [] { return Duration{}; });
  EXPECT_LE(sent, 100u * 10'001);
  EXPECT_GE(sent, 100u * 9'999);
}

TEST(PacerTest, DoesNotSaveUpTimeWithoutBytes) {
  Pacer pacer;
  const auto paces = at_a_rate(1ms, 100);
  pacer.left(paces, 100, at(0ms), at(0ms));
  pacer.left(paces, 100, at(500ms), at(500ms));  // nothing was there before
  EXPECT_EQ(pacer.allowance(paces, at(500ms)), 0u);
  EXPECT_EQ(pacer.next(paces), at(501ms));
}

TEST(PacerTest, MakesUpForSoMuchAndNoMore) {
  Pacer pacer;
  const auto paces = at_a_rate(1ms, 100);
  pacer.left(paces, 100, at(0ms), at(0ms));
  size_t burst = 0;
  while (const size_t count = pacer.allowance(paces, at(5s))) {  // the peer took nothing for 5 s
    pacer.left(paces, count, at(0ms), at(5s));
    burst += count;
  }
  EXPECT_EQ(burst, 51u * 100);
}

TEST(PacerTest, NeverShortensAGapThatTheReceiverIsToSee) {
  for (const Duration gap : {Duration(200us), Duration(20ms)}) {
    Pacer pacer;
    const auto paces = every(gap, 7);
    pacer.left(paces, 7, at(0ms), at(0ms));
    const Duration late = gap * 15 / 4;
    pacer.left(paces, 7, at(0ms), at(late));
    EXPECT_EQ(pacer.allowance(paces, at(late)), 0u);
    EXPECT_EQ(pacer.next(paces), at(late + gap));
  }
}

TEST(PacerTest, KeepsEveryPaceOfSeveral) {
  Pacer pacer;
  auto paces = every(10ms, 100, "one");
  paces.push_back(every(3ms, 10, "other").front());
  EXPECT_EQ(pacer.allowance(paces, at(0ms)), 10u);
  for (const Duration now : {0ms, 3ms, 6ms}) {
    EXPECT_EQ(pacer.allowance(paces, at(now)), 10u);
    pacer.left(paces, 10, at(0ms), at(now));
  }
  EXPECT_EQ(pacer.next(paces), at(9ms));
  EXPECT_DOUBLE_EQ(rate_of(paces), 10 / 0.003);
}

TEST(PacerTest, ForgetsAFaultThatIsOver) {
  Pacer pacer;
  const auto paces = every(1h, 1);
  pacer.left(paces, 1, at(0ms), at(0ms));
  pacer.forget({"other"});
  EXPECT_EQ(pacer.allowance(paces, at(1s)), 0u);
  pacer.forget({"pace"});
  EXPECT_EQ(pacer.allowance(paces, at(1s)), 1u);
}

}  // namespace
}  // namespace breakwire::faults
