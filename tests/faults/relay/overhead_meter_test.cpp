#include "faults/relay/overhead_meter.h"

#include <gtest/gtest.h>

namespace breakwire::relay {
namespace {

TEST(OverheadMeterTest, SaysNothingOfNothing) { EXPECT_EQ(OverheadMeter().summary().samples, 0u); }

TEST(OverheadMeterTest, GivesQuantilesWithinASixteenth) {
  OverheadMeter meter;
  for (int microseconds = 1; microseconds <= 1000; ++microseconds) {
    meter.add(std::chrono::microseconds(microseconds));
  }
  const auto summary = meter.summary();
  EXPECT_EQ(summary.samples, 1000u);
  EXPECT_NEAR(summary.p50_us, 500, 500 / 16.0);
  EXPECT_NEAR(summary.p99_us, 990, 990 / 16.0);
  EXPECT_EQ(summary.max_us, 1000);
}

TEST(OverheadMeterTest, CountsTheExtremes) {
  OverheadMeter meter;
  meter.add(Duration(0));
  meter.add(Duration::max());
  EXPECT_EQ(meter.summary().p50_us, 0);
  EXPECT_EQ(meter.summary().samples, 2u);
}

}  // namespace
}  // namespace breakwire::relay
