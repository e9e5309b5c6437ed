#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(AcceptHangTest, MutesNewConnectionsAndLeavesExistingOnesAlone) {
  FaultSet set;
  set.arm(instance("accept_hang"), Instant{});
  EXPECT_EQ(name_of(set.found({"accept_hang"}, one)), "forward");
  EXPECT_EQ(name_of(set.bytes(one, Direction::request, 1).action), "forward");
  EXPECT_EQ(name_of(set.offered(two).action), "mute");
  EXPECT_EQ(set.tally({"accept_hang"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(AcceptHangTest, SaysWhetherTheSilentConnectionsAreClosedInTheEnd) {
  const auto mute = [](const std::string& with) {
    return std::get<Mute>(answer(*wire_fault("accept_hang", with), ConnectionOffered{one}));
  };
  EXPECT_FALSE(mute("{}").close_when_cleared);
  EXPECT_FALSE(mute(R"({"then": "stay"})").close_when_cleared);
  EXPECT_TRUE(mute(R"({"then": "close"})").close_when_cleared);
}

}  // namespace
}  // namespace breakwire::faults
