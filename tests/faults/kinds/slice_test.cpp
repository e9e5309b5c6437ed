#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(SliceTest, CutsBytesIntoPiecesOfItsSizeWithItsGap) {
  const auto fault = wire_fault("slice", R"({"size": "7B", "gap": "2ms"})");
  const auto pace = std::get<Pace>(answer(*fault, BytesReady{one, Direction::response, 1000}));
  EXPECT_EQ(pace.bytes, 7u);
  EXPECT_EQ(pace.gap, 2ms);
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 0}), "forward") << "a FIN";
  EXPECT_EQ(said(*fault, ConnectionOffered{one}), "forward");
}

TEST(SliceTest, LeavesAGapThatAReceiverSeesWhenNoneIsGiven) {
  const auto fault = wire_fault("slice", R"({"size": "1B"})");
  EXPECT_EQ(std::get<Pace>(answer(*fault, BytesReady{one, Direction::response, 1})).gap, 5ms);
}

TEST(SliceTest, RefusesPiecesOfNothingAndGapsThatCannotBeKept) {
  const std::string nothing = complaint("slice", R"({"size": "0B"})");
  EXPECT_NE(nothing.find("error: a segment has at least one byte\n"), std::string::npos) << nothing;
  const std::string short_gap = complaint("slice", R"({"size": "1B", "gap": "99us"})");
  EXPECT_NE(short_gap.find("error: a `gap` of 99us is less than the relay's clock can keep\n"),
            std::string::npos)
      << short_gap;
  EXPECT_NE(complaint("slice", "{}").find("`size` is missing"), std::string::npos);
  EXPECT_EQ(complaint("slice", R"({"size": "1B", "gap": "100us"})"), "");
}

}  // namespace
}  // namespace breakwire::faults
