#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

Duration delay_of(const WireAction& action) { return std::get<Delay>(action).by; }

TEST(LatencyTest, DelaysEveryChunkInBothDirectionsByItsDelay) {
  const auto fault = wire_fault("latency", R"({"delay": "300ms"})");
  EXPECT_EQ(delay_of(answer(*fault, BytesReady{one, Direction::request, 1})), 300ms);
  EXPECT_EQ(delay_of(answer(*fault, BytesReady{two, Direction::response, 100'000})), 300ms);
}

TEST(LatencyTest, LeavesConnectionsAlone) {
  const auto fault = wire_fault("latency", R"({"delay": "300ms"})");
  EXPECT_EQ(said(*fault, Armed{}), "forward");
  EXPECT_EQ(said(*fault, ConnectionFound{one}), "forward");
  EXPECT_EQ(said(*fault, ConnectionOffered{one}), "forward");
  EXPECT_EQ(said(*fault, Cleared{}), "forward");
}

TEST(LatencyTest, StaysWithinItsJitterAndReachesBothSidesOfTheDelay) {
  const auto fault = wire_fault("latency", R"({"delay": "100ms", "jitter": "20ms"})");
  Rng rng(7);
  Duration least = 1h;
  Duration most{};
  Duration sum{};
  for (int i = 0; i < 1000; ++i) {
    const Duration by = delay_of(fault->decide(BytesReady{one, Direction::request, 1}, {}, rng));
    least = std::min(least, by);
    most = std::max(most, by);
    sum += by;
  }
  EXPECT_GE(least, 80ms);
  EXPECT_LT(least, 82ms);
  EXPECT_LE(most, 120ms);
  EXPECT_GT(most, 118ms);
  EXPECT_NEAR(to_ms(sum / 1000), 100, 2);
}

TEST(LatencyTest, IsNeverNegativeHoweverLargeTheJitter) {
  const auto fault = wire_fault("latency", R"({"delay": "1ms", "jitter": "1s"})");
  Rng rng(7);
  int at_once = 0;
  for (int i = 0; i < 200; ++i) {
    const Duration by = delay_of(fault->decide(BytesReady{one, Direction::request, 1}, {}, rng));
    EXPECT_GE(by, 0ns);
    at_once += by == 0ns;
  }
  EXPECT_GT(at_once, 50);
}

TEST(LatencyTest, DrawsTheSameJitterFromTheSameSeed) {
  const auto fault = wire_fault("latency", R"({"delay": "1s", "jitter": "500ms"})");
  const auto draws = [&](uint64_t seed) {
    Rng rng(seed);
    std::vector<Duration> all;
    for (int i = 0; i < 5; ++i)
      all.push_back(delay_of(fault->decide(BytesReady{one, Direction::request, 1}, {}, rng)));
    return all;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1), draws(2));
}

}  // namespace
}  // namespace breakwire::faults
