#include "harness/process/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <stop_token>
#include <thread>

#include "harness/process/process_tree.h"
#include "tests/harness/process/guarded_test.h"

namespace breakwire::process {
namespace {

class ChildProcessTest : public GuardedTest {
 protected:
  std::string sentence_of(const Command& command) {
    try {
      ChildProcess child(guard, command);
    } catch (const SpawnError& error) {
      return error.what();
    }
    return "it started";
  }
  static char state(pid_t pid) {
    const auto info = process_info(pid);
    return info ? info->state : '-';
  }
};

TEST_F(ChildProcessTest, TellsTheExitCodeAndWhenItEnded) {
  const Instant before = in(0s);
  std::promise<ProcessExited> told;
  ChildProcess child(guard, shell("exit 7"), [&](const ProcessExited& exit) { told.set_value(exit); });
  const auto exit = child.wait(in(10s));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, (ExitStatus{.code = 7}));
  EXPECT_EQ(exit->pid, child.pid());
  EXPECT_GE(exit->at, before);
  EXPECT_LE(exit->at, in(0s));
  EXPECT_EQ(to_text(exit->status), "exit code 7");
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(future.get().at, exit->at);
}

TEST_F(ChildProcessTest, TellsTheSignalThatEndedIt) {
  ChildProcess child(guard, {.argv = {"sleep", "1000"}});
  EXPECT_FALSE(child.exited());
  EXPECT_TRUE(child.signal(SIGTERM));
  const auto exit = child.wait(in(10s));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, (ExitStatus{.signal = SIGTERM}));
  EXPECT_EQ(to_text(exit->status), "ended by SIGTERM");
}

TEST_F(ChildProcessTest, ASignalToOneThatHasEndedIsNoError) {
  ChildProcess child(guard, shell("exit 0"));
  ASSERT_TRUE(child.wait(in(10s)));
  EXPECT_FALSE(child.signal(SIGTERM));
  ASSERT_TRUE(child.wait_family_gone(in(10s)));
  EXPECT_FALSE(child.signal(SIGTERM));
  EXPECT_EQ(child.signal_family(SIGKILL), 0);
}

TEST_F(ChildProcessTest, WaitingEndsAtTheDeadlineAndWhenStopped) {
  ChildProcess child(guard, {.argv = {"sleep", "1000"}});
  EXPECT_FALSE(child.wait(in(20ms)));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(child.wait(in(1h), stop.get_token()));
}

TEST_F(ChildProcessTest, StartsInTheGivenDirectoryWithTheGivenEnvironmentAndNothingOfOurs) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // deliberately not close-on-exec
  ::setenv("BREAKWIRE_TEST_BEFORE", "inherited", 1);
  Guard later(options());
  Command command = shell(
      "pwd; echo $NAME $BREAKWIRE_TEST_BEFORE; ls /proc/self/fd | tr '\\n' ' '; echo;"
      "readlink /proc/self/fd/0; grep -E '^Sig(Blk|Ign)' /proc/self/status; cat /proc/self/stat");
  command.env = {{"NAME", "a=b c"}};
  command.cwd = directory.path();
  ChildProcess child(later, command);
  ASSERT_TRUE(child.wait(in(10s)));
  ::close(leaked);
  std::istringstream lines(text_of(command.log_path));
  const auto next = [&] {
    std::string line;
    std::getline(lines, line);
    return line;
  };
  EXPECT_EQ(next(), directory.path());
  EXPECT_EQ(next(), "a=b c inherited");
  EXPECT_EQ(next(), "0 1 2 3 ");  // 3 is ls's own look at the directory
  EXPECT_EQ(next(), "/dev/null");
  EXPECT_EQ(next(), "SigBlk:\t0000000000000000");
  unsigned long long ignored = 0;
  ASSERT_EQ(std::sscanf(next().c_str(), "SigIgn: %llx", &ignored), 1);
  EXPECT_EQ(ignored & 0x7fffffff, 0u) << "one of the signals 1 to 31 is ignored";
  int pid = 0, parent = 0, group = 0, session = 0;
  ASSERT_EQ(std::sscanf(next().c_str(), "%d (cat) %*c %d %d %d", &pid, &parent, &group, &session), 4);
  EXPECT_EQ(group, child.pid());
  EXPECT_EQ(session, child.pid());
}

TEST_F(ChildProcessTest, RunsAsAnotherUserWhenWeAreRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Command command = shell("id -u; id -g; id -G");
  command.user = unprivileged_user();
  ASSERT_TRUE(command.user);
  ChildProcess child(guard, command);
  ASSERT_TRUE(child.wait(in(10s)));
  const std::string group = std::to_string(command.user->gid) + "\n";
  EXPECT_EQ(text_of(command.log_path), std::to_string(command.user->uid) + "\n" + group + group);
}

TEST_F(ChildProcessTest, SaysWhichStepOfAStartFailedAndTheNextMove) {
  EXPECT_EQ(sentence_of({.argv = {"/no/such/inventory"}}),
            "cannot start `/no/such/inventory`: there is no such file; build it or correct the path");
  EXPECT_EQ(sentence_of({.argv = {"no-such-program"}}),
            "cannot start `no-such-program`: PATH holds no such program that may be run; install it or give "
            "its path");
  EXPECT_EQ(sentence_of({.argv = {"/etc/passwd"}}),
            "cannot start `/etc/passwd`: it is not an executable file, or lies where its user may not look");
  EXPECT_EQ(sentence_of({.argv = {"true"}, .cwd = "/no/such"}),
            "cannot start `true`: its directory `/no/such` cannot be entered: No such file or directory");
  EXPECT_EQ(sentence_of({.argv = {"true"}, .log_path = "/no/such/log"}),
            "cannot start `true`: its log `/no/such/log` cannot be opened: No such file or directory");
  EXPECT_EQ(sentence_of({}), "cannot start ``: the command is empty");
  EXPECT_EQ(sentence_of({.argv = {"true", std::string(1'000'000, 'x')}}),
            "cannot start `true`: its command line and environment are too long");
  const std::string script = directory.path() + "/script";
  std::ofstream(script) << "#!/no/such/python\n";
  ::chmod(script.c_str(), 0755);
  EXPECT_EQ(sentence_of({.argv = {script}}),
            "cannot start `" + script + "`: the interpreter or loader it names does not exist");
}

TEST_F(ChildProcessTest, QuotesTheLastLinesOfItsOwnOutputOnly) {
  std::ofstream(log()) << "of an earlier process\n";
  ChildProcess child(guard, shell("echo one; echo two >&2; printf '\\033[1mbold\\377 end'; exit 3"));
  ASSERT_TRUE(child.wait(in(10s)));
  using Lines = std::vector<std::string>;
  EXPECT_EQ(child.last_output_lines(2), (Lines{"two", "[1mbold\xEF\xBF\xBD end"}));
  EXPECT_EQ(child.last_output_lines(9), (Lines{"one", "two", "[1mbold\xEF\xBF\xBD end"}));
  EXPECT_EQ(text_of(log()).substr(0, 22), "of an earlier process\n");
}

TEST_F(ChildProcessTest, QuotesNoMoreThanAPersonWouldRead) {
  ChildProcess child(guard, shell("head -c 300000 /dev/zero | tr '\\0' x"));
  ASSERT_TRUE(child.wait(in(10s)));
  const auto lines = child.last_output_lines(3);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LT(lines[0].size(), 600u);
}

TEST_F(ChildProcessTest, TheDestructorKillsTheFamilyDaemonsAndFrozenOnesIncluded) {
  std::vector<ProcessInfo> family;
  {
    // A child, a grandchild in a session of its own whose parent has ended, and a frozen child.
    ChildProcess child(guard, shell("sleep 1000 & (setsid sleep 1000 &) ; sleep 1000 & kill -STOP $!; wait"));
    const pid_t keeper = process_info(child.pid())->parent;
    ASSERT_TRUE(eventually([&] {
      family = descendants_of(keeper);
      int sleeping = 0, frozen = 0;
      for (const auto& one : family) ++(one.state == 'T' ? frozen : sleeping);
      return sleeping == 3 && frozen == 1;
    }));
  }
  for (const auto& one : family) {
    const auto now = process_info(one.pid);
    EXPECT_TRUE(!now || now->born != one.born || now->state == 'Z') << one.pid;
  }
}

TEST_F(ChildProcessTest, AFamilyMemberThatOutlivesItsServiceStillBelongsToIt) {
  ChildProcess child(guard, shell("sleep 1000 & exit 0"));
  ASSERT_TRUE(child.wait(in(10s)));
  EXPECT_FALSE(child.wait_family_gone(in(20ms)));
  EXPECT_EQ(child.signal_family(SIGTERM), 1);
  EXPECT_TRUE(child.wait_family_gone(in(10s)));
  EXPECT_EQ(child.orphans_reaped(), 1u);
}

TEST_F(ChildProcessTest, FamiliesAreNotMixedUp) {
  ChildProcess one(guard, shell("(setsid sleep 1000 &) ; exit 0"));
  ChildProcess other(guard, shell("(setsid sleep 1000 &) ; exit 0"));
  ASSERT_TRUE(one.wait(in(10s)) && other.wait(in(10s)));
  EXPECT_EQ(one.signal_family(SIGKILL), 1);
  EXPECT_TRUE(one.wait_family_gone(in(10s)));
  EXPECT_FALSE(other.wait_family_gone(in(20ms)));
}

TEST_F(ChildProcessTest, AFamilyIsFrozenAndThawedWhole) {
  ChildProcess child(guard, shell("sleep 1000 & sleep 1000"));
  const auto all_are = [&](char wanted) {
    const auto family = descendants_of(child.pid());
    return family.size() == 2 && family[0].state == wanted && family[1].state == wanted &&
           state(child.pid()) == wanted;
  };
  ASSERT_TRUE(eventually([&] { return all_are('S'); }));
  EXPECT_EQ(child.signal_family(SIGSTOP), 3);
  EXPECT_TRUE(eventually([&] { return all_are('T'); }));
  EXPECT_FALSE(child.exited());
  EXPECT_EQ(child.signal_family(SIGCONT), 3);
  EXPECT_TRUE(eventually([&] { return all_are('S'); }));
}

TEST_F(ChildProcessTest, ManyAtOnceFromManyThreads) {
  std::atomic<int> exits = 0;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) {
        const int code = thread * 10 + i;
        ChildProcess child(guard, shell("exit " + std::to_string(code)),
                           [&](const ProcessExited&) { ++exits; });
        const auto exit = child.wait(in(20s));
        if (exit && exit->status.code == code) ++right;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
  EXPECT_EQ(exits, 40);
}

TEST_F(ChildProcessTest, IsSilentOnceItsObjectIsGone) {
  std::atomic<bool> told = false;
  {
    ChildProcess child(guard, {.argv = {"sleep", "1000"}}, [&](const ProcessExited&) { told = true; });
  }
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace breakwire::process
