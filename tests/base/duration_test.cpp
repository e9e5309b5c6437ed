#include "base/duration.h"

#include <gtest/gtest.h>

namespace breakwire {
namespace {

struct DurationCase {
  std::string text;
  Duration duration;
};
class DurationTest : public ::testing::TestWithParam<DurationCase> {};

TEST_P(DurationTest, IsReadFromItsTextAndWrittenAsItAgain) {
  EXPECT_EQ(parse_duration(GetParam().text), GetParam().duration);
  EXPECT_EQ(to_text(GetParam().duration), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    All, DurationTest,
    ::testing::Values(DurationCase{"0s", 0s}, DurationCase{"1ns", 1ns}, DurationCase{"50ns", 50ns},
                      DurationCase{"100us", 100us}, DurationCase{"1.5us", 1500ns},
                      DurationCase{"250ms", 250ms}, DurationCase{"1.5s", 1500ms}, DurationCase{"90s", 90s},
                      DurationCase{"2m", 120s}, DurationCase{"90m", 90min}, DurationCase{"1h", 1h},
                      DurationCase{"1.001s", 1001ms}, DurationCase{"1000.001ms", 1000001us},
                      DurationCase{"1234.567us", 1234567ns}, DurationCase{"1000000.001us", 1000000001ns}));

TEST(DurationTextTest, EveryWrittenTextReadsBackExactly) {
  for (int64_t ns = 1; ns < 4'000'000'000'000'000; ns = ns * 7 + 3) {
    EXPECT_EQ(parse_duration(to_text(Duration{ns})), Duration{ns}) << to_text(Duration{ns});
  }
}

struct OtherText {
  std::string text;
  Duration duration;
};
class OtherDurationTextTest : public ::testing::TestWithParam<OtherText> {};

TEST_P(OtherDurationTextTest, IsReadToo) { EXPECT_EQ(parse_duration(GetParam().text), GetParam().duration); }

INSTANTIATE_TEST_SUITE_P(All, OtherDurationTextTest,
                         ::testing::Values(OtherText{"0ms", 0s}, OtherText{"0.25s", 250ms},
                                           OtherText{"1500ms", 1500ms}, OtherText{"007s", 7s},
                                           OtherText{"0.5m", 30s}, OtherText{"1.50s", 1500ms},
                                           OtherText{"0.1s", 100ms}, OtherText{"0.3ms", 300us},
                                           OtherText{"1.000000001s", 1000000001ns}, OtherText{"24h", 24h}));

class NoDurationTest : public ::testing::TestWithParam<std::string> {};

TEST_P(NoDurationTest, IsRefused) { EXPECT_EQ(parse_duration(GetParam()), std::nullopt); }

INSTANTIATE_TEST_SUITE_P(All, NoDurationTest,
                         ::testing::Values("", "5", "5.0", "s", "ms", "-1s", "+1s", " 1s", "1s ", "1 s",
                                           "1.s", ".5s", "1,5s", "1e3ms", "1sec", "1S", "1MS", "1d", "0x1s",
                                           "1.5.2s", "1s2s", "99999999999999999999s", "9000000000000h"));

TEST(DurationTextTest, GivesReportsMillisecondsAsANumber) {
  EXPECT_DOUBLE_EQ(to_ms(1500us), 1.5);
  EXPECT_DOUBLE_EQ(to_ms(2s), 2000);
}

}  // namespace
}  // namespace breakwire
