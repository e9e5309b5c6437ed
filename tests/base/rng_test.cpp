// Literal numbers: a change of any of these changes which calls a seed hits, and breaks every replay.
#include "base/rng.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace breakwire {
namespace {

TEST(RngTest, IsSplitmix64) {
  Rng zero(0);  // the reference implementation's first three for seed 0
  EXPECT_EQ(zero.next(), 0xe220a8397b1dcdafu);
  EXPECT_EQ(zero.next(), 0x6e789e6aa1b965f4u);
  EXPECT_EQ(zero.next(), 0x06c45d188009454fu);
  Rng seeded(42);
  EXPECT_EQ(seeded.next(), 0xbdd732262feb6e95u);
  EXPECT_EQ(seeded.next(), 0x28efe333b266f103u);
  EXPECT_EQ(seeded.next(), 0x47526757130f9f52u);
}

TEST(RngTest, DrawsUniformNumbersFromTheUpper53Bits) {
  Rng rng(42);
  EXPECT_EQ(rng.uniform(), 0.7415648787718233);
  EXPECT_EQ(rng.uniform(), 0.1599103928769201);
  EXPECT_EQ(rng.uniform(10, 20), 10 + 10 * 0.27860113025513866);
}

TEST(RngTest, StaysWithinItsRangeAndFillsIt) {
  Rng rng(1);
  int tenths[10] = {};
  for (int i = 0; i < 10'000; ++i) {
    const double drawn = rng.uniform();
    ASSERT_GE(drawn, 0);
    ASSERT_LT(drawn, 1);
    ++tenths[static_cast<int>(drawn * 10)];
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 150);
}

TEST(MixTest, IsTheSameOnEveryMachine) {
  EXPECT_EQ(mix(42, "slow"), 0xfc447ef6a228c059u);
  EXPECT_EQ(mix(42, ""), 0x7ae42aa3f53325fau);
  EXPECT_EQ(mix(42, uint64_t{0}), 0x989b3f130a063869u);
  EXPECT_EQ(mix(42, uint64_t{1}), 0x290db4bf2570ded7u);
}

TEST(MixTest, GivesDistinctSeedsForNeighbours) {
  std::set<uint64_t> seeds;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (uint64_t number = 0; number < 50; ++number) {
      seeds.insert(mix(seed, number));
      seeds.insert(mix(seed, std::to_string(number)));
    }
  }
  EXPECT_EQ(seeds.size(), 10'000u);
}

}  // namespace
}  // namespace breakwire
