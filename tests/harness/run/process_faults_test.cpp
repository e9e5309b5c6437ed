// What process faults do to a real process, seen by the kernel and by the process itself, not by us.
#include "harness/process/tcp_readiness.h"
#include "tests/harness/run/victim.h"

namespace breakwire::run {
namespace {

TEST_F(ProcessFaultTest, PauseFreezesAndItsEndThaws) {
  begin("pause");
  EXPECT_TRUE(becomes(pid(), [](char state) { return state == 'T'; }));
  EXPECT_EQ(nth<history::SignalSent>(1).signal, SIGSTOP);
  end("pause");
  EXPECT_TRUE(becomes(pid(), [](char state) { return state != 'T' && state != 'x'; }));
}

TEST_F(ProcessFaultTest, SignalReachesTheProgramsOwnHandler) {
  begin("signal", R"({"signal": "SIGTERM"})");
  const auto exited = nth<history::ProcessExited>(1);
  EXPECT_EQ(exited.code, 7);
  EXPECT_EQ(victim->last_output(1), std::vector<std::string>{"told to end"});
}

TEST_F(ProcessFaultTest, KillLeavesItNoWordToSay) {
  begin("kill");
  const auto exited = nth<history::ProcessExited>(1);
  EXPECT_EQ(exited.signal, SIGKILL);
  EXPECT_TRUE(becomes(pid(), [](char state) { return state == 'x'; }));
  EXPECT_EQ(victim->last_output(1), std::vector<std::string>{"up"});
}

TEST_F(ProcessFaultTest, RestartBringsAnotherProcessToTheSamePort) {
  begin("restart", R"({"down": "10ms"})");
  nth<history::ProcessExited>(1);
  EXPECT_NE(process::wait_until_connectable("127.0.0.1", port.port(), now()).outcome,
            process::Connectable::yes);
  end("restart", R"({"down": "10ms"})");
  EXPECT_NE(nth<history::ProcessStarted>(2).pid, pid());
  nth<history::ServiceReady>(2);
  EXPECT_EQ(process::wait_until_connectable("127.0.0.1", port.port(), now() + 5s).outcome,
            process::Connectable::yes);
}

TEST_F(ProcessFaultTest, ARestartThatFailsIsToldWithWhatItSaid) {
  begin("restart", R"({"down": "10ms"})");
  std::ofstream(folder.path() + "/broken") << "yes";
  end("restart", R"({"down": "10ms"})");
  const auto failed = nth<history::RestartFailed>(1);
  EXPECT_EQ(failed.service.text, "victim");
  EXPECT_NE(failed.why.find("died before it was ready (exit code 1)"), std::string::npos) << failed.why;
  EXPECT_NE(failed.why.find("it is broken"), std::string::npos) << failed.why;
}

TEST_F(ProcessFaultTest, WithoutItsGuardNoFaultThrowsAndARestartIsToldToHaveFailed) {
  begin("restart", R"({"down": "10ms"})");
  nth<history::ProcessExited>(1);
  ASSERT_EQ(::kill(guard.pid(), SIGKILL), 0);
  EXPECT_NO_THROW(begin("kill"));
  EXPECT_NO_THROW(begin("pause"));
  EXPECT_NO_THROW(end("restart", R"({"down": "10ms"})"));
  const auto failed = nth<history::RestartFailed>(1);
  EXPECT_NE(failed.why.find("guard"), std::string::npos) << failed.why;
}

}  // namespace
}  // namespace breakwire::run
