// Each process a service had, how it ended, and who ended it.
#include <gtest/gtest.h>

#include <csignal>

#include "harness/history/calls.h"
#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

TEST(ProcessLivesTest, ARestartIsTwoLivesAndTheFirstWasEndedByTheFault) {
  HistoryBuilder builder;
  builder.at(0s)
      .process("orders", 10)
      .at(1s)
      .signal("orders", 10, SIGTERM, "again")
      .at(2s)
      .exit("orders", 10, 0);
  builder.at(3s).process("orders", 11).at(4s).phase(Phase::teardown).at(5s).exit("orders", 11, {}, SIGKILL);
  const auto lives = process_lives(builder);
  ASSERT_EQ(lives.size(), 2u);
  EXPECT_EQ(lives[0].ended_by, FaultId{"again"});
  EXPECT_EQ(lives[0].exited, t0 + 2s);
  EXPECT_EQ(lives[0].code, 0);
  EXPECT_FALSE(lives[0].in_teardown);
  EXPECT_EQ(lives[1].ended_by, std::nullopt);
  EXPECT_EQ(lives[1].signal, SIGKILL);
  EXPECT_TRUE(lives[1].in_teardown);
}

TEST(ProcessLivesTest, APausedProcessThatDiesDiedByItself) {
  HistoryBuilder builder;
  builder.process("orders", 10)
      .signal("orders", 10, SIGSTOP, "freeze")
      .signal("orders", 10, SIGCONT, "freeze");
  builder.at(1s).exit("orders", 10, {}, SIGSEGV);
  EXPECT_EQ(process_lives(builder).at(0).ended_by, std::nullopt);
}

TEST(ProcessLivesTest, KillingTheTreeIsKnownByItsHit) {
  HistoryBuilder builder;
  builder.fault({.id = {"dead"}, .kind = "kill", .on = "orders", .process = true, .instant = true});
  builder.process("orders", 10).at(1s).hit("dead", "", 0, 0, "kill_tree").exit("orders", 10, {}, SIGKILL);
  EXPECT_EQ(process_lives(builder).at(0).ended_by, FaultId{"dead"});
}

TEST(ProcessLivesTest, ASignalAfterTheExitEndedNothing) {
  HistoryBuilder builder;
  builder.process("orders", 10).at(1s).exit("orders", 10, 1).at(2s).signal("orders", 10, SIGTERM, "term");
  EXPECT_EQ(process_lives(builder).at(0).ended_by, std::nullopt);
}

}  // namespace
}  // namespace breakwire::history
