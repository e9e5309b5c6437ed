#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(TruncateTest, LetsExactlySoManyThroughAndSwallowsTheRest) {
  FaultSet set;
  set.arm(instance("truncate", R"({"bytes": "100B"})"), Instant{});
  // A connection that had carried 1000 and 7 bytes before the fault came.
  EXPECT_EQ(said(set.bytes(one, Direction::request, 60, 1000)), "forward");
  EXPECT_EQ(said(set.bytes(one, Direction::response, 60, 7)), "forward");
  EXPECT_EQ(std::get<Swallow>(set.bytes(one, Direction::request, 60, 1060).action).let_through, 40u);
  EXPECT_EQ(std::get<Swallow>(set.bytes(one, Direction::request, 60, 1120).action).let_through, 0u);
  EXPECT_EQ(std::get<Swallow>(set.bytes(two, Direction::request, 300, 0).action).let_through, 100u);
  EXPECT_EQ(set.tally({"truncate"}), (FaultTally{.eligible = 2, .hits = 2}));
}

TEST(TruncateTest, HitsNobodyWhoStaysWithinItWhileStaying) {
  const auto fault = wire_fault("truncate", R"({"bytes": "100B"})");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 100, 0}), "forward");
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 0, 100}), "forward") << "a FIN";
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1, 100}), "swallow");
}

TEST(TruncateTest, EndsTheConnectionWithTheLastByteAndWaitsForNoMore) {
  const auto close = wire_fault("truncate", R"({"bytes": "100B", "then": "close"})");
  EXPECT_EQ(said(*close, BytesReady{one, Direction::request, 99, 0}), "forward");
  EXPECT_EQ(
      std::get<CloseConnection>(answer(*close, BytesReady{one, Direction::request, 100, 0})).let_through,
      100u);
  const auto reset = wire_fault("truncate", R"({"bytes": "100B", "then": "reset"})");
  EXPECT_EQ(
      std::get<ResetConnection>(answer(*reset, BytesReady{one, Direction::request, 70, 60})).let_through,
      40u);
  EXPECT_EQ(said(*reset, BytesReady{one, Direction::request, 0, 100}), "forward");
  EXPECT_EQ(said(*reset, ConnectionFound{one}), "forward");
}

TEST(TruncateTest, CountsTheBytesOfTheMatchedDirectionOnly) {
  FaultSet set;
  set.arm(instance("truncate", R"({"bytes": "0B"})", R"({"direction": "response"})"), Instant{});
  EXPECT_EQ(said(set.bytes(one, Direction::request, 5000, 0)), "forward");
  EXPECT_EQ(std::get<Swallow>(set.bytes(one, Direction::response, 1, 0).action).let_through, 0u);
}

TEST(TruncateTest, KnowsHowAConnectionMayGoOn) {
  const std::string text = complaint("truncate", R"({"bytes": "1B", "then": "rest"})");
  EXPECT_NE(text.find("unknown ending `rest`"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean `reset`?"), std::string::npos) << text;
  EXPECT_NE(complaint("truncate", R"({"then": "close"})").find("`bytes` is missing"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
