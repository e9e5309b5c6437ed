#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

const CallFacts facts{.connection = one, .stream = 1};

CallReached end(const Metadata* trailers) {
  return {.stage = Stage::response_end, .call = &facts, .fields = trailers};
}

TEST(MissingTrailersTest, DropsTheTrailersAtTheResponsesEndOnly) {
  const auto fault = wire_fault("missing_trailers");
  const Metadata trailers{{"grpc-status", "0"}};
  for (const Stage stage : every_stage) {
    EXPECT_EQ(said(*fault, CallReached{.stage = stage, .call = &facts, .fields = &trailers}),
              stage == Stage::response_end ? "drop_trailers" : "forward");
  }
}

TEST(MissingTrailersTest, OrTakesTheStatusOutOfThem) {
  const auto fault = wire_fault("missing_trailers", R"({"end_stream_on": "headers"})");
  const Metadata trailers{{"x-cost", "3"}, {"grpc-status", "0"}};
  EXPECT_EQ(std::get<EditFields>(answer(*fault, end(&trailers))).remove,
            (std::vector<std::string>{"grpc-status", "grpc-message", "grpc-status-details-bin"}));
}

TEST(MissingTrailersTest, IsNoHitWhereThereIsNoStatusAnyway) {
  const Metadata none{{"x-cost", "3"}};
  EXPECT_EQ(said(*wire_fault("missing_trailers"), end(nullptr)), "forward");
  EXPECT_EQ(said(*wire_fault("missing_trailers", R"({"end_stream_on": "headers"})"), end(&none)), "forward");
}

TEST(MissingTrailersTest, AMisspelledFrameIsNamedWithTheOneThatWasMeant) {
  EXPECT_EQ(complaint("missing_trailers", R"({ "end_stream_on": "header" })"),
            "error: unknown frame `header`\n"
            " --> test.json:1:20\n"
            "  |\n"
            "1 | { \"end_stream_on\": \"header\" }\n"
            "  |                    ^^^^^^^^ did you mean `headers`?\n");
}

}  // namespace
}  // namespace breakwire::faults
