#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

struct LossCase {
  std::string then, with, at_the_end;
};
class LoseResponseTest : public ::testing::TestWithParam<LossCase> {};

TEST_P(LoseResponseTest, LetsTheServiceFinishAndThenDeniesTheCallerItsAnswer) {
  const auto fault = wire_fault("lose_response", GetParam().with);
  for (const Stage stage : every_stage) {
    EXPECT_EQ(said_at(*fault, stage), stage == Stage::headers        ? "withhold_response"
                                      : stage == Stage::response_end ? GetParam().at_the_end
                                                                     : "forward");
  }
  EXPECT_EQ(said(*fault, BytesReady{one, Direction::response, 1}), "forward");
}

INSTANTIATE_TEST_SUITE_P(All, LoseResponseTest,
                         ::testing::Values(LossCase{"default", "{}", "end_call"},
                                           LossCase{"unavailable", R"({"then": "unavailable"})", "end_call"},
                                           LossCase{"reset", R"({"then": "reset"})", "reset_connection"},
                                           LossCase{"hang", R"({"then": "hang"})", "hold"}),
                         [](const auto& tested) { return tested.param.then; });

TEST(LoseResponseKindTest, AnswersUnavailable) {
  const CallFacts facts{.connection = one, .stream = 1};
  const auto end =
      answer(*wire_fault("lose_response"), CallReached{.stage = Stage::response_end, .call = &facts});
  EXPECT_EQ(std::get<EndCall>(end).code, StatusCode::unavailable);
}

}  // namespace
}  // namespace breakwire::faults
