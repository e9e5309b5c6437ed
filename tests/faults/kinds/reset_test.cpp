#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

struct ResetCase {
  std::string name, match, existing, fresh;
};
class ResetTest : public ::testing::TestWithParam<ResetCase> {};

TEST_P(ResetTest, ResetsTheConnectionsThatAreMatched) {
  FaultSet set;
  EXPECT_EQ(name_of(set.arm(instance("reset", "{}", GetParam().match), Instant{})), "forward");
  EXPECT_EQ(name_of(set.found({"reset"}, one)), GetParam().existing);
  EXPECT_EQ(name_of(set.offered(two).action), GetParam().fresh);
  EXPECT_EQ(name_of(set.clear({"reset"}, Instant{})), "forward");
}

INSTANTIATE_TEST_SUITE_P(
    All, ResetTest,
    ::testing::Values(ResetCase{"all", "{}", "reset_connection", "reset_connection"},
                      ResetCase{"existing", R"({"connections": "existing"})", "reset_connection", "forward"},
                      ResetCase{"fresh", R"({"connections": "new"})", "forward", "reset_connection"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ResetKindTest, NeverCutsAConnectionInTheMiddleOfItsBytes) {
  EXPECT_EQ(said(*wire_fault("reset"), BytesReady{one, Direction::request, 1}), "forward");
}

TEST(ResetKindTest, IsInstantUnlessItIsGivenALength) {
  EXPECT_EQ(find_fault_kind("reset")->lifetime, Lifetime::optional_span);
}

}  // namespace
}  // namespace breakwire::faults
