#include "faults/kinds/byte_rate.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

Pace pace(const std::string& rate) {
  const auto fault = wire_fault("bandwidth", R"({"rate": ")" + rate + R"("})");
  return std::get<Pace>(answer(*fault, BytesReady{one, Direction::request, 1}));
}

struct RateCase {
  std::string text;
  double per_second;
};
class BandwidthRateTest : public ::testing::TestWithParam<RateCase> {};

TEST_P(BandwidthRateTest, BecomesPiecesOfAboutAMillisecond) {
  const Pace kept = pace(GetParam().text);
  EXPECT_GE(kept.bytes, 1u);
  const double seconds = std::chrono::duration<double>(kept.gap).count();
  EXPECT_NEAR(static_cast<double>(kept.bytes) / seconds / GetParam().per_second, 1, 1e-5);
  if (GetParam().per_second >= 1000) {
    EXPECT_LE(kept.gap, 1ms);
    EXPECT_GE(kept.gap, 500us);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BandwidthRateTest,
                         ::testing::Values(RateCase{"100B/s", 100}, RateCase{"1999B/s", 1999},
                                           RateCase{"100kB/s", 1e5}, RateCase{"123.457kB/s", 123'457},
                                           RateCase{"1MiB/s", 1 << 20}, RateCase{"100MB/s", 1e8},
                                           RateCase{"8Mbit/s", 1e6}, RateCase{"64kbit/s", 8000},
                                           RateCase{"1.5GB/s", 1.5e9}));

TEST(BandwidthTest, PacesBytesOfBothDirectionsAndNothingElse) {
  const auto fault = wire_fault("bandwidth", R"({"rate": "100kB/s"})");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1}), "pace");
  EXPECT_EQ(said(*fault, BytesReady{two, Direction::response, 100'000}), "pace");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 0}), "forward") << "a FIN";
  EXPECT_EQ(said(*fault, ConnectionOffered{one}), "forward");
  EXPECT_EQ(said(*fault, ConnectionFound{one}), "forward");
}

struct WrongCase {
  std::string with, says, hints;
};
class WrongBandwidthTest : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongBandwidthTest, IsAnErrorThatSaysWhatAndWhatNext) {
  const std::string text = complaint("bandwidth", GetParam().with);
  EXPECT_NE(text.find("error: " + GetParam().says + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find(GetParam().hints), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongBandwidthTest,
    ::testing::Values(WrongCase{"{}", "`rate` is missing", "100kB/s"},
                      WrongCase{R"({"rate": 100})", "a bare number is not a byte rate", "\"100kB/s\""},
                      WrongCase{R"({"rate": "100kB"})", "`100kB` is not a byte rate", "\"100kB/s\""},
                      WrongCase{R"({"rate": "0B/s"})", "`0B/s` is not a byte rate", ""},
                      WrongCase{R"({"rate": "-1B/s"})", "`-1B/s` is not a byte rate", ""},
                      WrongCase{R"({"rate": "100KB/s"})", "`100KB/s` is not a byte rate", ""},
                      WrongCase{R"({"rate": ["1kB/s"]})", "expected a byte rate, found a list", ""}));

}  // namespace
}  // namespace breakwire::faults
