// From the verdicts of all scenarios to one word and one exit code.
#include <gtest/gtest.h>

#include "harness/run/result.h"

namespace breakwire::run {
namespace {

struct ExitCase {
  std::string name;
  std::vector<Verdict> verdicts;
  Verdict verdict;
  int code;
  bool interrupted = false;
};
class ExitCodeTest : public testing::TestWithParam<ExitCase> {};

RunResult run_of(const ExitCase& one) {
  RunResult run;
  run.interrupted = one.interrupted;
  for (Verdict verdict : one.verdicts) run.scenarios.push_back({.verdict = verdict});
  return run;
}

TEST_P(ExitCodeTest, FollowsTheWorstVerdict) {
  const RunResult run = run_of(GetParam());
  EXPECT_EQ(exit_code_of(run), GetParam().code);
  EXPECT_EQ(run.summary().verdict, GetParam().verdict);
}

using enum Verdict;
INSTANTIATE_TEST_SUITE_P(
    Table, ExitCodeTest,
    testing::Values(ExitCase{"all_passed", {passed, passed}, passed, 0},
                    ExitCase{"one_failed", {passed, failed}, failed, 1},
                    ExitCase{"one_inconclusive", {inconclusive, passed}, inconclusive, 2},
                    ExitCase{"one_error", {passed, error}, error, 3},
                    ExitCase{"failed_over_inconclusive", {inconclusive, failed, passed}, failed, 1},
                    ExitCase{"error_over_failed", {failed, error}, error, 3},
                    ExitCase{"error_over_inconclusive", {error, inconclusive}, error, 3},
                    ExitCase{"nothing_ran", {}, error, 4},
                    ExitCase{"skipped_proves_nothing", {passed, skipped}, inconclusive, 2},
                    ExitCase{"all_skipped", {skipped}, skipped, 2},
                    ExitCase{"failed_over_skipped", {skipped, failed}, failed, 1},
                    ExitCase{"interrupted_is_never_green", {passed, skipped}, error, 3, true},
                    ExitCase{"interrupted_after_the_last", {passed}, error, 3, true},
                    ExitCase{"interrupted_with_a_failure", {failed, skipped}, error, 3, true}),
    [](const auto& one) { return one.param.name; });

TEST(ExitCodeTest, AFileAtFaultComesBeforeEverything) {
  RunResult run = run_of({"", {passed, failed, error}, passed, 0, true});
  run.scenarios[2].file_at_fault = true;
  EXPECT_EQ(exit_code_of(run), 4);
}

TEST(SummaryTest, CountsEveryVerdict) {
  const Summary sum =
      run_of({"", {passed, failed, passed, inconclusive, error, skipped, passed}, passed, 0}).summary();
  EXPECT_EQ(sum.total, 7u);
  EXPECT_EQ(sum.passed, 3u);
  EXPECT_EQ(sum.failed, 1u);
  EXPECT_EQ(sum.inconclusive, 1u);
  EXPECT_EQ(sum.error, 1u);
  EXPECT_EQ(sum.skipped, 1u);
}

}  // namespace
}  // namespace breakwire::run
