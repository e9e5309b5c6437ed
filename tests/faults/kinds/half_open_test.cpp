#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(HalfOpenTest, CutsOffOneWayOnly) {
  for (const auto& [direction, request] : {std::pair{"request", true}, std::pair{"response", false}}) {
    const auto fault = wire_fault("half_open", std::string(R"({"direction": ")") + direction + "\"}");
    for (const WireEvent& event :
         {WireEvent(Armed{}), WireEvent(ConnectionFound{one}), WireEvent(ConnectionOffered{two})}) {
      const auto answered = answer(*fault, event);
      ASSERT_TRUE(std::holds_alternative<Isolate>(answered)) << name_of(answered);
      EXPECT_EQ(std::get<Isolate>(answered).request, request);
      EXPECT_EQ(std::get<Isolate>(answered).response, !request);
    }
    EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1}), "forward");
    EXPECT_EQ(said(*fault, Cleared{}), "forward");
  }
}

TEST(HalfOpenTest, WantsToKnowWhichWay) {
  EXPECT_NE(complaint("half_open", "{}").find("`direction`"), std::string::npos);
  EXPECT_NE(complaint("half_open", R"({"direction": "up"})").find("direction"), std::string::npos);
  EXPECT_NE(match_complaint("half_open", R"({"direction": "request"})").find("direction"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
