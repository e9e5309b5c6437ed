// When calls begin, on a made-up clock.
#include <gtest/gtest.h>

#include "harness/load/pace.h"

namespace breakwire::load {
namespace {

using scenario::LoadModel;

const Instant begin{1000s};

scenario::Load open_load(double per_second) {
  scenario::Load load;
  load.rate = {per_second};
  return load;
}

scenario::Load closed_load(unsigned concurrency) {
  scenario::Load load;
  load.model = LoadModel::closed;
  load.concurrency = concurrency;
  return load;
}

TEST(OpenPaceTest, CallNIsDueAtNOverRateWithoutDrift) {
  const auto load = open_load(3);
  Pace pace(load, begin);
  for (int i = 0; i < 3'000'000; ++i) pace.issued();
  EXPECT_EQ(pace.next(begin), begin + 1'000'000s);
}

TEST(OpenPaceTest, OwesWhatIsOverdue) {
  const auto load = open_load(10);
  Pace pace(load, begin);
  pace.issued();
  EXPECT_EQ(pace.next(begin + 5s), begin + 100ms);
}

TEST(OpenPaceTest, BeginsNoCallAtTheEndOfItsLength) {
  auto load = open_load(10);
  load.length = 300ms;
  Pace pace(load, begin);
  for (int i = 0; i < 2; ++i) pace.issued();
  EXPECT_EQ(pace.next(begin), begin + 200ms);
  pace.issued();  // the next would be due at 300 ms
  EXPECT_EQ(pace.next(begin), std::nullopt);
}

TEST(OpenPaceTest, StopsAtCallsOrLengthWhicheverComesFirst) {
  auto load = open_load(10);
  load.length = 10s;
  load.calls = 2;
  Pace pace(load, begin);
  pace.issued();
  EXPECT_TRUE(pace.next(begin).has_value());
  pace.issued();
  EXPECT_EQ(pace.next(begin), std::nullopt);
}

TEST(ClosedPaceTest, WaitsForASlot) {
  const auto load = closed_load(2);
  Pace pace(load, begin);
  EXPECT_EQ(pace.next(begin), begin);
  pace.issued();
  pace.issued();
  EXPECT_EQ(pace.next(begin + 1s), Pace::never);
  pace.ended(begin + 2s, false);
  EXPECT_EQ(pace.next(begin + 2s), begin + 2s);
}

TEST(ClosedPaceTest, RestsASlotAfterAFailureAndUsesTheOtherMeanwhile) {
  const auto load = closed_load(2);
  Pace pace(load, begin);
  pace.issued();
  pace.issued();
  pace.ended(begin + 1s, true);
  EXPECT_EQ(pace.next(begin + 1s), begin + 1s + pause_after_failure);
  pace.ended(begin + 1s, false);
  EXPECT_EQ(pace.next(begin + 1s), begin + 1s);
}

TEST(ClosedPaceTest, EndsByTheClockEvenWithFreeSlots) {
  auto load = closed_load(1);
  load.length = 1s;
  const Pace pace(load, begin);
  EXPECT_TRUE(pace.next(begin + 999ms).has_value());
  EXPECT_EQ(pace.next(begin + 1s), std::nullopt);
}

}  // namespace
}  // namespace breakwire::load
