// Verdicts, and what the frame around every check adds.
#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

TEST(VerdictTest, TheWorstOfTwoIsTheOneThatMustBeHeard) {
  EXPECT_EQ(worst(Verdict::error, Verdict::failed), Verdict::error);
  EXPECT_EQ(worst(Verdict::inconclusive, Verdict::failed), Verdict::failed);
  EXPECT_EQ(worst(Verdict::passed, Verdict::inconclusive), Verdict::inconclusive);
  EXPECT_EQ(worst(Verdict::skipped, Verdict::passed), Verdict::passed);
  EXPECT_EQ(worst(Verdict::skipped, Verdict::skipped), Verdict::skipped);
}

HistoryBuilder two_calls(StatusCode second) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline)
      .at(1s)
      .issue(1)
      .at(1010ms)
      .done(1)
      .at(2s)
      .issue(2)
      .at(2010ms)
      .done(2, second);
  return builder;
}

TEST(JudgeTest, TooFewSamplesAreNeverGreen) {
  const auto result =
      judged(R"({"check": "outcomes", "only": ["OK"], "min_samples": 3})", two_calls(StatusCode::ok));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "only 2 samples, 3 needed");
  EXPECT_EQ(result.samples, 2u);
}

TEST(JudgeTest, TooFewSamplesThatFailedAreInconclusiveAndSaySo) {
  const auto result =
      judged(R"({"check": "outcomes", "only": ["OK"], "min_samples": 3})", two_calls(StatusCode::internal));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "only 2 samples, 3 needed; those there were had failed");
  EXPECT_EQ(numbers(result), Evidence{5});
}

TEST(JudgeTest, AWindowOfAFaultThatNeverFiredIsInconclusive) {
  HistoryBuilder builder = two_calls(StatusCode::ok);
  builder.at(1s).arm("slow");
  const auto result = judged(R"({"check": "outcomes", "only": ["OK"], "during": "slow"})", builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "fault `slow` never fired");
}

TEST(JudgeTest, OnlyCallsOfTheWindowCount) {
  HistoryBuilder builder = two_calls(StatusCode::internal);
  builder.at(500ms).arm("slow").hit("slow").at(1500ms).clear("slow").at(3s).phase(Phase::teardown);
  const auto during = spec_of(R"({"check": "outcomes", "only": ["OK"], "during": "slow"})");
  const Judged result = judge(during, builder, history::Calls(builder.history()));
  EXPECT_PASSED(result.result);
  EXPECT_EQ(result.result.samples, 1u);
  EXPECT_EQ(result.window, "during slow (0.500s – 1.500s)");
  EXPECT_EQ(judged(R"({"check": "outcomes", "only": ["OK"], "after": "slow"})", builder).verdict,
            Verdict::failed);
}

}  // namespace
}  // namespace breakwire::checks
