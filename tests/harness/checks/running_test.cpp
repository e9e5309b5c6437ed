#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const entry = R"({"check": "running", "service": "orders"})";

TEST(RunningTest, OneProcessThroughoutAndStoppedAtTheEnd) {
  HistoryBuilder builder;
  builder.at(-1s).process("orders", 10).at(0s).phase(Phase::baseline).at(5s).phase(Phase::teardown);
  builder.at(5s).exit("orders", 10, 0);
  const auto result = judged(entry, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "pid 10 throughout");
}

TEST(RunningTest, ACrashThatASupervisorHidIsShown) {
  HistoryBuilder builder;
  builder.at(-1s).process("orders", 10).at(0s).phase(Phase::baseline).at(2s).exit("orders", 10, {}, SIGSEGV);
  builder.at(2100ms).process("orders", 11).at(5s).phase(Phase::teardown);
  const auto result = judged(entry, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "pid 10 was ended by SIGSEGV at 2.000 s; pid 11 started at 2.100 s");
  EXPECT_EQ(numbers(result), (Evidence{3, 4}));
}

TEST(RunningTest, AProcessThatHadAlreadyGoneWasNotRunning) {
  HistoryBuilder builder;
  builder.process("orders", 10).phase(Phase::baseline).at(1s).exit("orders", 10, 1);
  builder.at(2s).arm("f").hit("f").at(3s).clear("f");
  const auto result = judged(R"({"check": "running", "service": "orders", "during": "f"})", builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "no process ran when the window began");
  EXPECT_EQ(numbers(result), Evidence{3});
}

TEST(RunningTest, AServiceThatBreakwireDidNotStartCannotBeJudged) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).phase(Phase::teardown);
  EXPECT_EQ(judged(entry, builder).reason, "breakwire started no process of orders");
}

}  // namespace
}  // namespace breakwire::checks
