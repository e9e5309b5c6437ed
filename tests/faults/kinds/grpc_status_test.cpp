#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

TEST(GrpcStatusTest, EndsTheCallAtItsHeadersWithCodeMessageAndMetadata) {
  const auto fault = wire_fault("grpc_status", R"({"code": "RESOURCE_EXHAUSTED", "message": "too much",
                                                   "metadata": {"grpc-retry-pushback-ms": "500", "b-bin": "AAE"}})");
  const CallFacts facts{.connection = one, .stream = 1};
  const auto end = std::get<EndCall>(answer(*fault, CallReached{.stage = Stage::headers, .call = &facts}));
  EXPECT_EQ(end.code, StatusCode::resource_exhausted);
  EXPECT_EQ(end.message, "too much");
  EXPECT_EQ(end.metadata, (Metadata{{"b-bin", "AAE"}, {"grpc-retry-pushback-ms", "500"}}));
}

TEST(GrpcStatusTest, ActsAtNoOtherStageAndOnNewCallsOnly) {
  const auto fault = wire_fault("grpc_status", R"({"code": "ABORTED"})");
  for (const Stage stage : every_stage)
    EXPECT_EQ(said_at(*fault, stage), stage == Stage::headers ? "end_call" : "forward");
  EXPECT_EQ(fault->scope(), Scope::new_calls);
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::request, 1}), "forward");
}

TEST(GrpcStatusTest, LetsTheServiceFinishFirstWhenItForwards) {
  const auto fault = wire_fault("grpc_status", R"({"code": "ABORTED", "forward": true})");
  for (const Stage stage : every_stage) {
    EXPECT_EQ(said_at(*fault, stage), stage == Stage::headers        ? "withhold_response"
                                      : stage == Stage::response_end ? "end_call"
                                                                     : "forward");
  }
  EXPECT_EQ(fault->scope(), Scope::calls);
}

TEST(GrpcStatusTest, SaysThatItWasInjectedUnlessToldOtherwise) {
  const CallFacts facts{.connection = one, .stream = 1};
  const CallReached reached{.stage = Stage::headers, .call = &facts};
  EXPECT_EQ(std::get<EndCall>(answer(*wire_fault("grpc_status", R"({"code": "ABORTED"})"), reached)).message,
            "injected fault");
  EXPECT_EQ(
      std::get<EndCall>(answer(*wire_fault("grpc_status", R"({"code": "ABORTED", "message": ""})"), reached))
          .message,
      "");
}

}  // namespace
}  // namespace breakwire::faults
