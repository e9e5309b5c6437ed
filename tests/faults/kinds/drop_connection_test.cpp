#include "faults/kinds/names.h"
#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(DropConnectionTest, CutsTheConnectionAtTheMatchedStageOnly) {
  for (const std::string by : {"reset", "close"}) {
    for (const Stage matched : every_stage) {
      FaultSet set;
      const std::string name = Codec<std::optional<Stage>>::show(matched);
      set.arm(instance("drop_connection", R"({"by": ")" + by + R"("})", R"({"stage": ")" + name + R"("})"),
              Instant{});
      for (const Stage stage : every_stage) {
        EXPECT_EQ(said(ask(set, call(1), stage)), stage == matched ? by + "_connection" : "forward") << name;
      }
    }
  }
}

TEST(DropConnectionTest, ResetsAtTheHeadersUnlessToldOtherwise) {
  FaultSet set;
  set.arm(instance("drop_connection"), Instant{});
  EXPECT_EQ(said(ask(set, call(1), Stage::headers)), "reset_connection");
}

TEST(DropConnectionTest, PicksTheCallsItCutsUnder) {
  FaultSet set;
  set.arm(instance("drop_connection", "{}", R"({"attempts": 1, "method": "shop.v1.Orders/*"})"), Instant{});
  EXPECT_EQ(said(ask(set, call(1, {.previous_attempts = 1}))), "forward");
  EXPECT_EQ(said(ask(set, call(3, {.method = "shop.v1.Stock/Get"}))), "forward");
  EXPECT_EQ(said(ask(set, call(5))), "reset_connection");
  EXPECT_EQ(said(set.bytes(one, Direction::request, 1)), "forward");
}

}  // namespace
}  // namespace breakwire::faults
