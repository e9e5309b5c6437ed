#include "harness/process/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/process/owned_directory.h"
#include "harness/process/postgres.h"
#include "harness/process/process_tree.h"
#include "tests/harness/process/guarded_test.h"

namespace breakwire::process {
namespace {

bool is_gone(const ProcessInfo& process) {
  const auto now = process_info(process.pid);
  return !now || now->born != process.born || now->state == 'Z';
}

class GuardTest : public testing::Test {
 protected:
  static GuardOptions options() { return {.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}; }

  /// Forks a breakwire of its own: it starts families of every stubborn kind, says so, and waits to be
  /// killed.
  void start_victim(void (*run)(int) = run_victim) {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    victim = ::fork();
    ASSERT_GE(victim, 0);
    if (victim == 0) run(pipe[1]);
    ::close(pipe[1]);
    victim_says = pipe[0];
  }

  ~GuardTest() override {
    if (victim > 0) {
      ::kill(victim, SIGKILL);
      ::waitpid(victim, nullptr, 0);
    }
    if (victim_says >= 0) ::close(victim_says);
    if (!directory.empty()) remove_owned_directory(directory);  // of the test that kills the guard too
  }

  [[noreturn]] static void run_victim(int out) {
    Guard guard(options());
    TempDirectory directory(guard);
    std::ofstream(directory.path() + "/file") << "content";
    ChildProcess pair(guard, {.argv = {"sh", "-c", "sleep 1000 & sleep 1000"}});
    ChildProcess frozen(guard, {.argv = {"sleep", "1000"}});
    frozen.signal(SIGSTOP);
    ChildProcess daemon(guard,
                        {.argv = {"sh", "-c", "(setsid sleep 1000 &); trap '' TERM INT HUP; sleep 1000; :"}});
    eventually([&] {
      // Three keepers, and their families of three, one and three.
      return descendants_of(guard.pid()).size() == 10 && process_info(frozen.pid())->state == 'T';
    });
    const std::string said = std::to_string(guard.pid()) + " " + directory.path() + "\n";
    [[maybe_unused]] const ssize_t size = ::write(out, said.data(), said.size());
    while (true) ::pause();
  }

  [[noreturn]] static void run_victim_with_database(int out) {
    Guard guard(options());
    PostgresTemplate origin(guard);
    const Postgres postgres(origin, {});
    DatabaseConnection connection(postgres.conninfo(), in(5s));
    const std::string place = std::filesystem::path(postgres.socket_path()).parent_path();
    const std::string said = std::to_string(guard.pid()) + " " + place + "\n";
    [[maybe_unused]] const ssize_t size = ::write(out, said.data(), said.size());
    while (true) ::pause();
  }

  void hear_victim() {
    char text[4096];
    const ssize_t size = ::read(victim_says, text, sizeof text);
    ASSERT_GT(size, 0);
    std::istringstream said(std::string(text, static_cast<size_t>(size)));
    said >> guard_pid >> directory;
    family = descendants_of(guard_pid);
    guard_itself = *process_info(guard_pid);
    ASSERT_GE(family.size(), 5u);
    ASSERT_TRUE(std::filesystem::exists(directory));
  }

  bool all_gone() const {
    for (const auto& one : family)
      if (!is_gone(one)) return false;
    return is_gone(guard_itself);
  }

  pid_t victim = 0;
  int victim_says = -1;
  pid_t guard_pid = 0;
  ProcessInfo guard_itself;
  std::string directory;
  std::vector<ProcessInfo> family;
};

TEST_F(GuardTest, KillingBreakwireLeavesNoProcessAndNoDirectoryBehind) {
  ASSERT_NO_FATAL_FAILURE(start_victim());
  ASSERT_NO_FATAL_FAILURE(hear_victim());
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] { return all_gone(); }));
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(GuardTest, KillingBreakwireLeavesNothingOfADatabaseBehind) {
  ASSERT_NO_FATAL_FAILURE(start_victim(run_victim_with_database));
  ASSERT_NO_FATAL_FAILURE(hear_victim());
  const int segment = shared_memory_of(directory);
  shmid_ds info{};
  ASSERT_EQ(::shmctl(segment, IPC_STAT, &info), 0);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] { return all_gone(); }));
  EXPECT_FALSE(std::filesystem::exists(directory));
  EXPECT_NE(::shmctl(segment, IPC_STAT, &info), 0);
}

TEST_F(GuardTest, IsNotReachedByTheTerminalsSignals) {
  ASSERT_NO_FATAL_FAILURE(start_victim());
  ASSERT_NO_FATAL_FAILURE(hear_victim());
  EXPECT_EQ(::getsid(guard_pid), guard_pid);
  for (const int signo : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::kill(guard_pid, signo);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] { return all_gone(); }));
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(GuardTest, KillingTheGuardEndsItsFamiliesToo) {
  ASSERT_NO_FATAL_FAILURE(start_victim());
  ASSERT_NO_FATAL_FAILURE(hear_victim());
  ::kill(guard_pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return all_gone(); }));
}

TEST_F(GuardTest, WhoeverWaitsIsToldWhenTheGuardWasKilled) {
  Guard guard(options());
  ChildProcess child(guard, {.argv = {"sleep", "1000"}});
  ::kill(guard.pid(), SIGKILL);
  const auto exit = child.wait(in(10s));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, (ExitStatus{.signal = SIGKILL}));
  EXPECT_THROW(ChildProcess(guard, {.argv = {"true"}}), std::runtime_error);
}

TEST_F(GuardTest, AKilledKeeperTakesItsFamilyAlongAndNoOther) {
  Guard guard(options());
  ChildProcess kept(guard, {.argv = {"sleep", "1000"}});
  ChildProcess other(guard, {.argv = {"sleep", "1000"}});
  ::kill(process_info(kept.pid())->parent, SIGKILL);
  const auto exit = kept.wait(in(10s));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, (ExitStatus{.signal = SIGKILL}));
  EXPECT_TRUE(kept.wait_family_gone(in(10s)));
  EXPECT_FALSE(kept.signal(SIGTERM));
  EXPECT_TRUE(other.signal(0));
}

TEST_F(GuardTest, ItsDestructorEndsEverything) {
  pid_t pid = 0;
  {
    Guard guard(options());
    pid = guard.pid();
    ASSERT_TRUE(process_info(pid));
  }
  EXPECT_FALSE(process_info(pid));
}

TEST_F(GuardTest, AMissingGuardIsASentence) {
  try {
    Guard guard({.program = "/no/such/breakwire-guard"});
    FAIL() << "it started";
  } catch (const SpawnError& error) {
    EXPECT_STREQ(
        error.what(),
        "cannot start breakwire's guard `/no/such/breakwire-guard`: No such file or directory; it belongs "
        "beside the program `breakwire`, build or install both");
  }
}

TEST_F(GuardTest, ADirectoryThatCannotBeMadeIsASentence) {
  Guard guard(options());
  try {
    TempDirectory directory_of_nobody(guard, "/no/such");
    FAIL() << "it was made";
  } catch (const std::system_error& error) {
    EXPECT_STREQ(
        error.what(),
        "cannot make a temporary directory in `/no/such` (TMPDIR chooses another place): No such file or "
        "directory");
  }
}

}  // namespace
}  // namespace breakwire::process
