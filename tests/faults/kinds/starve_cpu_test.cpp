#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(StarveCpuTest, DividesThePeriod) {
  Rng rng(1);
  const auto begun = [&](const std::string& with) {
    return std::get<Throttle>(std::get<std::shared_ptr<const ProcessFault>>(make("starve_cpu", with))
                                  ->decide(ProcessArmed{}, {}, rng));
  };
  const auto given = begun(R"({"share": "75%", "period": "40ms"})");
  EXPECT_EQ(given.stopped, 30ms);
  EXPECT_EQ(given.running, 10ms);
  const auto left_out = begun(R"({"share": "80%"})");
  EXPECT_EQ(left_out.stopped, 80ms);
  EXPECT_EQ(left_out.running, 20ms);
}

TEST(StarveCpuTest, RefusesSharesAndPeriodsThatAreNone) {
  EXPECT_NE(complaint("starve_cpu", R"({"share": "0%"})").find("starves nobody"), std::string::npos);
  EXPECT_NE(complaint("starve_cpu", R"({"share": "100%"})").find("use the fault `pause`"), std::string::npos);
  EXPECT_NE(complaint("starve_cpu", R"({"share": "50%", "period": "5ms"})").find("cannot be kept"),
            std::string::npos);
  EXPECT_NE(complaint("starve_cpu", "{}").find("`share`"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
