#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using history::CommandEnded;

constexpr const char* entry =
    R"({"check": "command", "run": ["./verify.sh", "x"], "within": "3s", "exit_code": 2})";

HistoryBuilder with(std::vector<CommandEnded> ended) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(2s).phase(Phase::settling).at(3s);
  for (auto& one : ended) builder.add(std::move(one));
  return builder.at(4s).phase(Phase::teardown);
}

TEST(CommandTest, ItsExitCodeIsTheVerdict) {
  const auto result = judged(entry, with({{.name = "command", .code = 2, .last_output = {"fine"}}}));
  EXPECT_PASSED(result);
  EXPECT_EQ(result.expected, "`./verify.sh` exits with code 2 within 3s");
  EXPECT_EQ(result.actual, "it exited with code 2");
  EXPECT_PASSED(judged(R"({"check": "command", "run": ["x"]})", with({{.name = "command", .code = 0}})));
}

TEST(CommandTest, AnotherCodeIsRedWithItsLastWords) {
  const auto result =
      judged(entry, with({{.name = "command", .code = 0, .last_output = {"2 lost", "a and b"}}}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "it exited with code 0; its last output: 2 lost | a and b");
  EXPECT_EQ(numbers(result), Evidence{3});
}

TEST(CommandTest, ASignalOrTooMuchTimeIsRed) {
  EXPECT_EQ(judged(entry, with({{.name = "command", .signal = SIGSEGV}})).actual,
            "it was ended by SIGSEGV; it printed nothing");
  const auto late = judged(entry, with({{.name = "command", .signal = SIGKILL, .timed_out = true}}));
  EXPECT_EQ(late.verdict, Verdict::failed);
  EXPECT_EQ(late.actual, "it had not ended within 3s and was killed; it printed nothing");
}

TEST(CommandTest, WhatDidNotRunProvesNothing) {
  EXPECT_EQ(judged(entry, with({})).reason, "the command was not run: the run ended before it could be");
  EXPECT_EQ(judged(entry, with({{.name = "another", .code = 2}})).verdict, Verdict::inconclusive);
  const auto result = judged(entry, with({{.name = "command", .error = "there is no ./verify.sh"}}));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "the command could not be run: there is no ./verify.sh");
}

TEST(CommandTest, ALoadOfTheSameNameIsNotIt) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).add(CommandEnded{.name = "command", .code = 2});
  builder.at(2s).phase(Phase::settling).at(3s).phase(Phase::teardown);
  EXPECT_EQ(judged(entry, builder).verdict, Verdict::inconclusive);
}

TEST(CommandTest, ThereMustBeSomethingToRun) {
  EXPECT_NE(errors_of(R"({"check": "command", "run": []})").find("names no program"), std::string::npos);
  EXPECT_NE(errors_of(R"({"check": "command", "run": ["x"], "within": "0s"})").find("no time"),
            std::string::npos);
  EXPECT_NE(errors_of(R"({"check": "command", "run": ["x"], "exit_code": 256})").find("0 to 255"),
            std::string::npos);
}

}  // namespace
}  // namespace breakwire::checks
