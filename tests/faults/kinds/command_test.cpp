#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(CommandTest, RunsWhatIsWritten) {
  Rng rng(1);
  const auto fault =
      std::get<std::shared_ptr<const ProcessFault>>(make("command", R"({"run": ["psql", "${a->b.url}"]})"));
  EXPECT_EQ(std::get<RunCommand>(fault->decide(ProcessArmed{}, {}, rng)).argv,
            (std::vector<std::string>{"psql", "${a->b.url}"}));
}

TEST(CommandTest, RefusesToRunNothing) {
  EXPECT_NE(complaint("command", R"({"run": []})").find("`run` names no program"), std::string::npos);
  EXPECT_NE(complaint("command", R"({"run": [""]})").find("`run` names no program"), std::string::npos);
  EXPECT_NE(complaint("command", "{}").find("`run`"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
