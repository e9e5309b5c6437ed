// A flawed twin has passed when exactly the named checks failed, in a run that was otherwise sound.
#include <gtest/gtest.h>

#include "harness/run/judge.h"
#include "tests/harness/history_builder.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

using checks::Verdict;
using history::HistoryBuilder;
using history::Phase;
using scenario::Scenario;
using Names = std::vector<std::string>;

Scenario twin(std::set<std::string> fails, std::vector<scenario::Expectation> expect) {
  Scenario made = shop();
  made.twin = scenario::Twin{.name = "no-drain", .fails = std::move(fails)};
  made.timeline = {entry("term", "signal", "orders", Duration(200ms))};
  made.expect = std::move(expect);
  return made;
}

struct Run {
  bool fires = true;
  StatusCode baseline = StatusCode::ok;
};
ScenarioResult judged(const Scenario& scenario, Run run = {}) {
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1, run.baseline);
  h.at(100ms).phase(Phase::main);
  if (run.fires) h.at(200ms).arm("term").hit("term").clear("term");
  h.at(300ms).phase(Phase::teardown);
  return judge(scenario, h);
}

TEST(JudgeTwinTest, HasPassedWhenExactlyTheNamedChecksFailed) {
  const ScenarioResult result =
      judged(twin({"exit", "health"}, {expectation("exit", failing()), expectation("outcomes", passing()),
                                       expectation("health", failing())}));
  EXPECT_EQ(result.verdict, Verdict::passed) << result.reason;
  EXPECT_EQ(result.reason, "");
  EXPECT_EQ(result.id, "shop~no-drain");
  ASSERT_TRUE(result.twin);
  EXPECT_EQ(result.twin->name, "no-drain");
  EXPECT_EQ(result.twin->expected, (Names{"exit", "health"}));
  EXPECT_EQ(result.twin->observed, (Names{"exit", "health"}));
}

TEST(JudgeTwinTest, HasFailedWhenANamedCheckStayedGreen) {
  const ScenarioResult result =
      judged(twin({"exit", "health"}, {expectation("exit", failing()), expectation("health", passing())}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason,
            "the twin `no-drain` must turn exactly the named checks red: `health` did not fail");
  EXPECT_EQ(result.twin->observed, Names{"exit"});
}

TEST(JudgeTwinTest, HasFailedWhenNothingFailed) {
  EXPECT_EQ(judged(twin({"exit"}, {expectation("exit", passing())})).verdict, Verdict::failed);
}

TEST(JudgeTwinTest, HasFailedWhenAnotherCheckFailedToo) {
  const ScenarioResult result =
      judged(twin({"exit"}, {expectation("exit", failing()), expectation("outcomes", failing())}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason,
            "the twin `no-drain` must turn exactly the named checks red: `outcomes` failed too");
  EXPECT_EQ(result.twin->observed, (Names{"exit", "outcomes"}));
}

TEST(JudgeTwinTest, SaysBothWhatIsMissingAndWhatIsTooMuch) {
  const ScenarioResult result =
      judged(twin({"exit"}, {expectation("exit", passing()), expectation("outcomes", failing())}));
  EXPECT_EQ(result.reason,
            "the twin `no-drain` must turn exactly the named checks red: `exit` did not fail; `outcomes` "
            "failed too");
}

TEST(JudgeTwinTest, IsInconclusiveWhenANamedCheckSawNothing) {
  const ScenarioResult result =
      judged(twin({"exit", "health"}, {expectation("exit", undecided()), expectation("health", failing())}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason,
            "the twin `no-drain` must turn exactly the named checks red: inconclusive is `exit` (nothing to "
            "judge)");
  EXPECT_EQ(result.twin->observed, Names{"health"});
  EXPECT_TRUE(result.notes.empty());
  EXPECT_EQ(
      judged(twin({"exit", "health"}, {expectation("exit", undecided()), expectation("health", passing())}))
          .verdict,
      Verdict::failed)
      << "a named check that stayed green says more";
}

TEST(JudgeTwinTest, WhatIsInconclusiveBesideTheNamedChecksIsNotRedButTold) {
  const ScenarioResult result =
      judged(twin({"exit"}, {expectation("exit", failing()), expectation("outcomes", undecided())}));
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_EQ(result.notes, Names{"inconclusive beside them: `outcomes` (nothing to judge)"});
}

TEST(JudgeTwinTest, ProvesNothingWhenItsFaultDidNotFire) {
  const ScenarioResult result = judged(twin({"exit"}, {expectation("exit", failing())}), {.fires = false});
  EXPECT_EQ(result.verdict, Verdict::inconclusive) << "red for another reason is not red for the flaw";
  EXPECT_EQ(result.reason, "fault `term` never fired: the run ended before its time");
  EXPECT_EQ(result.twin->observed, Names{"exit"});
}

TEST(JudgeTwinTest, ProvesNothingWhenItsBaselineWasNotGreen) {
  const ScenarioResult result =
      judged(twin({"exit"}, {expectation("exit", failing())}), {.baseline = StatusCode::unavailable});
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_TRUE(result.reason.starts_with("the baseline was not green")) << result.reason;
}

}  // namespace
}  // namespace breakwire::run
