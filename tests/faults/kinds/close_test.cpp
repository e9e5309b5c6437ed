#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

CloseConnection close_of(const Ruling& ruling) { return std::get<CloseConnection>(ruling.action); }

struct CloseCase {
  std::string name, match, existing, fresh;
};
class CloseTest : public ::testing::TestWithParam<CloseCase> {};

TEST_P(CloseTest, ClosesTheConnectionsThatAreMatchedAtOnce) {
  FaultSet set;
  EXPECT_EQ(name_of(set.arm(instance("close", "{}", GetParam().match), Instant{})), "forward");
  EXPECT_EQ(name_of(set.found({"close"}, one)), GetParam().existing);
  const auto fresh = set.offered(two);
  EXPECT_EQ(said(fresh), GetParam().fresh);
  if (said(fresh) != "forward") {
    EXPECT_EQ(close_of(fresh).after, 0ns);
  }
  EXPECT_EQ(said(set.bytes(one, Direction::request, 1'000'000)), "forward");
  EXPECT_EQ(name_of(set.clear({"close"}, Instant{})), "forward");
}

INSTANTIATE_TEST_SUITE_P(
    All, CloseTest,
    ::testing::Values(CloseCase{"all", "{}", "close_connection", "close_connection"},
                      CloseCase{"existing", R"({"connections": "existing"})", "close_connection", "forward"},
                      CloseCase{"fresh", R"({"connections": "new"})", "forward", "close_connection"}),
    [](const auto& tested) { return tested.param.name; });

TEST(CloseKindTest, WithADelayHitsOnlyWhatIsClosedInTheEnd) {
  FaultSet set;
  set.arm(instance("close", R"({"delay": "500ms"})"), Instant{});
  EXPECT_EQ(std::get<CloseConnection>(set.found({"close"}, one)).after, 500ms);
  const auto offered = set.offered(two);
  ASSERT_EQ(offered.later.size(), 1u);
  EXPECT_EQ(std::get<CloseConnection>(offered.later[0].action).after, 500ms);
  EXPECT_EQ(set.tally({"close"}), (FaultTally{.eligible = 2, .hits = 0}));
  set.carried_out({"close"}, two);
  EXPECT_EQ(set.tally({"close"}), (FaultTally{.eligible = 2, .hits = 1}));
}

TEST(CloseKindTest, WithBytesLetsExactlySoManyThroughInEitherDirection) {
  FaultSet set;
  set.arm(instance("close", R"({"bytes": "100B"})"), Instant{});
  EXPECT_EQ(name_of(set.found({"close"}, one)), "forward");
  EXPECT_EQ(said(set.offered(two)), "forward");
  // A connection that had carried 1000 and 7 bytes before the fault came.
  EXPECT_EQ(said(set.bytes(one, Direction::request, 60, 1000)), "forward");
  EXPECT_EQ(said(set.bytes(one, Direction::response, 60, 7)), "forward");
  EXPECT_EQ(close_of(set.bytes(one, Direction::request, 60, 1060)).let_through, 40u);
  EXPECT_EQ(close_of(set.bytes(two, Direction::request, 300, 0)).let_through, 100u);
  EXPECT_EQ(close_of(set.bytes(one, Direction::response, 40, 67)).let_through, 40u) << "reached, not passed";
  EXPECT_EQ(set.tally({"close"}).eligible, 2u);
}

TEST(CloseKindTest, CountsTheBytesOfTheMatchedDirectionOnly) {
  FaultSet set;
  set.arm(instance("close", R"({"bytes": "100B"})", R"({"direction": "response"})"), Instant{});
  EXPECT_EQ(said(set.bytes(one, Direction::request, 5000, 0)), "forward");
  EXPECT_EQ(close_of(set.bytes(one, Direction::response, 5000, 0)).let_through, 100u);
}

TEST(CloseKindTest, DoesNotTakeAFinForBytes) {
  EXPECT_EQ(said(*wire_fault("close", R"({"bytes": "0B"})"), BytesReady{one, Direction::request, 0, 5}),
            "forward");
  EXPECT_EQ(said(*wire_fault("close", R"({"bytes": "0B"})"), BytesReady{one, Direction::request, 1, 0}),
            "close_connection");
}

struct JointCase {
  std::string name, with, match;
  std::optional<Duration> length;
  std::string says, hints;
};
class CloseEntryTest : public ::testing::TestWithParam<JointCase> {};

TEST_P(CloseEntryTest, IsRefusedForWhatItsPartsMeanTogether) {
  const auto& tested = GetParam();
  const std::string text = joint_complaint("close", tested.with, tested.match, tested.length);
  if (tested.says.empty()) {
    EXPECT_EQ(text, "");
    return;
  }
  EXPECT_NE(text.find("error: " + tested.says + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find(tested.hints), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, CloseEntryTest,
    ::testing::Values(
        JointCase{"delay_in_no_time", R"({"delay": "1s"})", "{}", std::nullopt,
                  "without `for`, `close` acts at one moment, and `delay` needs time to pass", "\"for\""},
        JointCase{"bytes_in_no_time", R"({"bytes": "1KiB"})", "{}", std::nullopt,
                  "without `for`, `close` acts at one moment, and `bytes` needs time to pass", "\"for\""},
        JointCase{"delay_as_long_as_the_fault", R"({"delay": "1s"})", "{}", 1s,
                  "the fault is over before this `delay` is", "1s"},
        JointCase{"direction_of_nothing", "{}", R"({"direction": "request"})", 1s,
                  "`close` ends both directions; `direction` says which `bytes` count", "add `bytes`"},
        JointCase{"delay_in_time", R"({"delay": "999ms"})", "{}", 1s, "", ""},
        JointCase{"bytes_of_a_direction", R"({"bytes": "1KiB"})", R"({"direction": "request"})", 1s, "", ""},
        JointCase{"nothing", "{}", "{}", std::nullopt, "", ""}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace breakwire::faults
