// The machine's own lateness: told apart from the services'.
#include "harness/watch/scheduling.h"

#include <gtest/gtest.h>

#include <thread>

namespace breakwire::watch {
namespace {

constexpr Instant due{std::chrono::seconds(7)};

TEST(SchedulingTest, ABeatThatComesWithinTheBoundIsNoStall) {
  Lateness lateness;
  count_beat(lateness, due, due);
  count_beat(lateness, due, due + Scheduling::stall);
  EXPECT_EQ(lateness.beats, 2U);
  EXPECT_EQ(lateness.stalls, 0U);
  EXPECT_EQ(lateness.worst, Scheduling::stall);
}

TEST(SchedulingTest, ALaterOneIsAndTheWorstIsKept) {
  Lateness lateness;
  count_beat(lateness, due, due + 300ms);
  count_beat(lateness, due, due + 60ms);
  count_beat(lateness, due, due + 1ms);
  EXPECT_EQ(lateness.beats, 3U);
  EXPECT_EQ(lateness.stalls, 2U);
  EXPECT_EQ(lateness.worst, 300ms);
}

TEST(SchedulingTest, BeatsByItselfAndEndsWithItsOwner) {
  const Scheduling scheduling;
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (scheduling.so_far().beats < 3 && std::chrono::steady_clock::now() < latest)
    std::this_thread::yield();
  EXPECT_GE(scheduling.so_far().beats, 3U);
  EXPECT_GT(scheduling.so_far().worst, Duration::zero());
}

}  // namespace
}  // namespace breakwire::watch
