#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(BlackholeTest, CutsOffWhatIsThereAndWhatMightComeBothWays) {
  const auto fault = wire_fault("blackhole");
  for (const WireEvent& event :
       {WireEvent(Armed{}), WireEvent(ConnectionFound{one}), WireEvent(ConnectionOffered{two})}) {
    const auto answered = answer(*fault, event);
    ASSERT_TRUE(std::holds_alternative<Isolate>(answered)) << name_of(answered);
    EXPECT_TRUE(std::get<Isolate>(answered).request);
    EXPECT_TRUE(std::get<Isolate>(answered).response);
  }
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1}), "forward");
  EXPECT_EQ(said(*fault, Cleared{}), "forward");
}

TEST(BlackholeTest, TheListenerIsForConnectionsToCome) {
  for (const auto& [connections, said] :
       {std::pair{"existing", "forward"}, std::pair{"new", "isolate"}, std::pair{"all", "isolate"}}) {
    FaultSet set;
    const auto answered =
        set.arm(instance("blackhole", "{}", std::string(R"({"connections": ")") + connections + "\"}"), {});
    EXPECT_EQ(name_of(answered), said) << connections;
    EXPECT_EQ(set.tally({"blackhole"}), FaultTally{}) << "it counts when a SYN was lost";
  }
}

TEST(BlackholeTest, SaysWhatItIsWhereNoPacketsCanBeDropped) {
  const auto& kind = *find_fault_kind("blackhole");
  EXPECT_EQ(kind.fidelity, "wire");
  ASSERT_TRUE(kind.fidelity_by_action.contains(name_of(WireAction(Hold{}))));
  EXPECT_EQ(kind.fidelity_by_action, find_fault_kind("half_open")->fidelity_by_action);
}

}  // namespace
}  // namespace breakwire::faults
