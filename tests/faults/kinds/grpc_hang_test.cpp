#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(GrpcHangTest, HoldsCallsAtTheirHeadersUnlessAnotherStageIsMatched) {
  for (const Stage stage : every_stage) {
    FaultSet set;
    set.arm(instance("grpc_hang"), Instant{});
    const auto facts = call(1);
    EXPECT_EQ(name_of(ask(set, facts, stage).action), stage == Stage::headers ? "hold" : "forward");
  }
}

TEST(GrpcHangTest, HoldsAtTheMatchedStageAlsoCallsThatWereUnderWay) {
  FaultSet set;
  set.arm(instance("grpc_hang", "{}", R"({"stage": "response_headers", "calls": {"first": 1}})"), Instant{});
  const auto under_way = call(1);
  const auto next = call(3);
  EXPECT_EQ(name_of(ask(set, next, Stage::headers).action), "forward");
  EXPECT_EQ(name_of(ask(set, under_way, Stage::response_headers).action), "forward") << "it came second";
  EXPECT_EQ(name_of(ask(set, next, Stage::response_headers).action), "hold");
}

TEST(GrpcHangTest, HoldsTheMatchedMessageOnly) {
  FaultSet set;
  set.arm(instance("grpc_hang", "{}", R"({"stage": "request_message", "message": 1})"), Instant{});
  const auto facts = call(1);
  EXPECT_EQ(name_of(ask(set, facts, Stage::request_message, 0).action), "forward");
  EXPECT_EQ(name_of(ask(set, facts, Stage::request_message, 1).action), "hold");
}

TEST(GrpcHangTest, LeavesTheConnectionsBytesAlone) {
  EXPECT_EQ(said(*wire_fault("grpc_hang"), BytesReady{one, Direction::request, 1}), "forward");
}

}  // namespace
}  // namespace breakwire::faults
