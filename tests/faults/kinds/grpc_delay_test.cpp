#include "tests/faults/fakes.h"
#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(GrpcDelayTest, DelaysCallsAtTheirHeadersUnlessAnotherStageIsMatched) {
  for (const Stage stage : every_stage) {
    FaultSet set;
    set.arm(instance("grpc_delay", R"({"delay": "250ms"})"), Instant{});
    EXPECT_EQ(ask(set, call(1), stage).delay, stage == Stage::headers ? 250ms : 0ms);
  }
}

TEST(GrpcDelayTest, DelaysAtTheMatchedStageAlsoCallsThatWereUnderWay) {
  FaultSet set;
  set.arm(instance("grpc_delay", R"({"delay": "250ms"})", R"({"stage": "response_end"})"), Instant{});
  EXPECT_EQ(ask(set, call(1), Stage::headers).delay, 0ms);
  const auto ruling = ask(set, call(3), Stage::response_end);
  EXPECT_EQ(ruling.delay, 250ms);
  EXPECT_EQ(said(ruling), "forward");
  EXPECT_EQ(ruling.delayed_by, std::vector<FaultId>{{"grpc_delay"}});
}

TEST(GrpcDelayTest, DelaysEveryMessageOrTheMatchedOne) {
  FaultSet every;
  every.arm(instance("grpc_delay", R"({"delay": "1s"})", R"({"stage": "request_message"})"), Instant{});
  FaultSet second;
  second.arm(instance("grpc_delay", R"({"delay": "1s"})", R"({"stage": "request_message", "message": 1})"),
             Instant{});
  for (const uint64_t message : {0u, 1u, 2u}) {
    EXPECT_EQ(ask(every, call(1), Stage::request_message, message).delay, 1s);
    EXPECT_EQ(ask(second, call(1), Stage::request_message, message).delay, message == 1 ? 1s : 0s);
  }
}

TEST(GrpcDelayTest, StaysWithinItsJitterAndIsNeverNegative) {
  const auto fault = wire_fault("grpc_delay", R"({"delay": "10ms", "jitter": "20ms"})");
  const CallFacts facts = call(1);
  Rng rng(7);
  Duration least = 1h;
  Duration most{};
  for (int i = 0; i < 1000; ++i) {
    const auto delay = std::get<Delay>(fault->decide(CallReached{Stage::headers, &facts, 0}, {}, rng));
    least = std::min(least, delay.by);
    most = std::max(most, delay.by);
  }
  EXPECT_EQ(least, 0ms);
  EXPECT_LE(most, 30ms);
  EXPECT_GT(most, 29ms);
}

TEST(GrpcDelayTest, LeavesTheConnectionsBytesAlone) {
  EXPECT_EQ(said(*wire_fault("grpc_delay", R"({"delay": "1s"})"), BytesReady{one, Direction::request, 1}),
            "forward");
}

}  // namespace
}  // namespace breakwire::faults
