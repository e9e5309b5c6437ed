// What a person reads in the terminal.
#include "reports/console.h"

#include <gtest/gtest.h>

#include "tests/reports/golden.h"
#include "tests/reports/results.h"

namespace breakwire::reports {
namespace {

TEST(ConsoleTest, APassIsOneLine) {
  EXPECT_EQ(progress(passed_scenario(), 3, 16, {}), "[ 3/16] passed        no-fault  2.3 s\n");
}

TEST(ConsoleTest, ATwinThatPassedSaysWhatWentRed) {
  EXPECT_EQ(progress(twin_scenario(), 16, 16, {}),
            "[16/16] passed        sigterm~no-drain  2.3 s  (red as it must be: exit, health)\n");
}

TEST(ConsoleTest, AFailureSaysWhatWasExpectedAndFoundAndWhere) {
  expect_golden("failed.txt", progress(failed_scenario(), 1, 2, {}));
}

TEST(ConsoleTest, AnErrorIsNotBuriedUnderChecksThatCouldNotBeJudged) {
  run::ScenarioResult cut = failed_scenario();
  cut.verdict = Verdict::error;
  cut.reason = "interrupted before it was over";
  const std::string text = progress(cut, 1, 1, {});
  EXPECT_NE(text.find("interrupted before it was over"), std::string::npos);
  EXPECT_EQ(text.find("calls_end: inconclusive"), std::string::npos) << text;
  EXPECT_NE(text.find("exit: failed"), std::string::npos) << text;
}

TEST(ConsoleTest, TheLongestVerdictIsStillApartFromTheName) {
  run::ScenarioResult open = passed_scenario();
  open.verdict = Verdict::inconclusive;
  EXPECT_TRUE(progress(open, 1, 1, {}).starts_with("[1/1] inconclusive  no-fault  2.3 s\n"));
}

TEST(ConsoleTest, ACheckThatSawNothingHasNoEmptyLines) {
  run::ScenarioResult open = passed_scenario();
  open.verdict = Verdict::inconclusive;
  open.reason = "check `exit`: the fault never fired";
  open.checks = {{.name = "exit",
                  .kind = "exit",
                  .result = {.verdict = Verdict::inconclusive, .reason = "the fault never fired"}}};
  EXPECT_TRUE(progress(open, 1, 1, {})
                  .ends_with("           - exit: inconclusive\n"
                             "             because:  the fault never fired\n"))
      << progress(open, 1, 1, {});
}

TEST(ConsoleTest, TheEndSaysCountsTimesAndHowToReplay) {
  expect_golden("closing.txt", closing(rich_run(), {}));
}

TEST(ConsoleTest, AnInterruptedRunSaysSoAndIsNotPassed) {
  run::RunResult run = rich_run();
  run.scenarios.resize(1);
  run.interrupted = true;
  const std::string text = closing(run, {});
  EXPECT_TRUE(text.starts_with("\nerror         1 of 1 passed in 6.8 s (interrupted)\n")) << text;
}

TEST(ConsoleTest, ColourIsOnlyThereWhenAskedFor) {
  EXPECT_EQ(progress(passed_scenario(), 1, 1, {.colour = true}),
            "[1/1] \x1b[32mpassed\x1b[0m        no-fault  2.3 s\n");
  EXPECT_EQ(closing(rich_run(), {}).find('\x1b'), std::string::npos);
}

TEST(ConsoleTest, AServicesOutputCannotPaintTheTerminal) {
  EXPECT_EQ(progress(failed_scenario(), 1, 2, {}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace breakwire::reports
