#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(RefuseTest, StopsTheListenerWhenArmedAndCountsThatAsItsHit) {
  FaultSet set;
  EXPECT_EQ(name_of(set.arm(instance("refuse"), Instant{})), "stop_listening");
  EXPECT_EQ(set.tally({"refuse"}), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST(RefuseTest, LeavesExistingConnectionsAndTheirBytesAlone) {
  FaultSet set;
  set.arm(instance("refuse"), Instant{});
  EXPECT_EQ(name_of(set.found({"refuse"}, one)), "forward");
  EXPECT_EQ(name_of(set.bytes(one, Direction::request, 1).action), "forward");
  EXPECT_EQ(name_of(set.clear({"refuse"}, Instant{})), "forward");
  EXPECT_EQ(set.tally({"refuse"}), (FaultTally{.eligible = 1, .hits = 1}));
}

}  // namespace
}  // namespace breakwire::faults
