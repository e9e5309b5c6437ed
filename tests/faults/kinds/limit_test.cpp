#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

ProcessAction begun(const std::string& with) {
  Rng rng(1);
  return std::get<std::shared_ptr<const ProcessFault>>(make("limit", with))->decide(ProcessArmed{}, {}, rng);
}

TEST(LimitTest, LimitsWhatIsGivenAndNothingElse) {
  const auto files = std::get<SetLimits>(begun(R"({"descriptors": 16})"));
  EXPECT_EQ(files.descriptors, 16u);
  EXPECT_EQ(files.address_space, std::nullopt);
  const auto both = std::get<SetLimits>(begun(R"({"descriptors": 0, "address_space": "64MiB"})"));
  EXPECT_EQ(both.descriptors, 0u);
  EXPECT_EQ(both.address_space, 64u << 20);
}

TEST(LimitTest, RefusesToLimitNothing) {
  EXPECT_NE(complaint("limit", "{}").find("`limit` limits nothing"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
