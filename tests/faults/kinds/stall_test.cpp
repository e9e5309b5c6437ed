#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(StallTest, HoldsBytesOfBothDirectionsAndAcceptsConnections) {
  const auto fault = wire_fault("stall");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1}), "hold");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::response, 1}), "hold");
  EXPECT_EQ(said(*fault, ConnectionOffered{two}), "forward");
  EXPECT_EQ(said(*fault, ConnectionFound{one}), "forward");
  EXPECT_EQ(said(*fault, Armed{}), "forward");
  EXPECT_EQ(said(*fault, Cleared{}), "forward");
}

TEST(StallTest, HoldsOneWayOnlyWhenADirectionIsMatched) {
  FaultSet set;
  set.arm(instance("stall", "{}", R"({"direction": "response"})"), Instant{});
  EXPECT_EQ(name_of(set.bytes(one, Direction::request, 1).action), "forward");
  EXPECT_EQ(name_of(set.bytes(one, Direction::response, 1).action), "hold");
}

}  // namespace
}  // namespace breakwire::faults
