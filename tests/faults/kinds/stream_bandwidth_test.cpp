#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(StreamBandwidthTest, PacesTheDataBehindTheHeadersOfEitherSide) {
  const auto fault = wire_fault("stream_bandwidth", R"({"rate": "100kB/s"})");
  for (const Stage stage : every_stage) {
    const bool here = stage == Stage::headers || stage == Stage::response_headers;
    EXPECT_EQ(said_at(*fault, stage), here ? "pace" : "forward");
  }
  EXPECT_EQ(default_match(*find_fault_kind("stream_bandwidth")).stage, Stage::response_headers);
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1}), "forward");
}

struct RateCase {
  std::string rate;
  double per_second;
};
class StreamRateTest : public ::testing::TestWithParam<RateCase> {};

TEST_P(StreamRateTest, ThePiecesAndTheirGapsMakeTheRate) {
  const CallFacts facts{.connection = one, .stream = 1};
  const auto fault = wire_fault("stream_bandwidth", R"({"rate": ")" + GetParam().rate + R"("})");
  const auto pace = std::get<Pace>(answer(*fault, CallReached{.stage = Stage::headers, .call = &facts}));
  EXPECT_GE(pace.bytes, 1u);
  const double rate = static_cast<double>(pace.bytes) * 1e9 / static_cast<double>(pace.gap.count());
  EXPECT_NEAR(rate / GetParam().per_second, 1, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(All, StreamRateTest,
                         ::testing::Values(RateCase{"10B/s", 10}, RateCase{"1500B/s", 1500},
                                           RateCase{"20kB/s", 20e3}, RateCase{"1MiB/s", 1048576},
                                           RateCase{"8Mbit/s", 1e6}, RateCase{"1GB/s", 1e9}));

TEST(StreamBandwidthTest, ARateHasAUnit) {
  EXPECT_NE(complaint("stream_bandwidth", "{}").find("`rate` is missing"), std::string::npos);
  EXPECT_NE(complaint("stream_bandwidth", R"({"rate": 100})").find("a bare number is not a byte rate"),
            std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
