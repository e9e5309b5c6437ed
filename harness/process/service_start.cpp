#include "harness/process/service_start.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace breakwire::process {
namespace {

struct Failure {
  SpawnStep step{};
  int error = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

void apply_environment(const std::vector<std::string>& additions) {
  for (const std::string& addition : additions) {
    const size_t equals = addition.find('=');
    if (equals == std::string::npos) continue;
    ::setenv(addition.substr(0, equals).c_str(), addition.c_str() + equals + 1, 1);
  }
}

void reset_signals() {
  for (int signo = 1; signo < NSIG; ++signo) ::signal(signo, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool redirect(const std::string& log_path) {
  const int input = ::open("/dev/null", O_RDONLY);
  const int output = log_path.empty() ? ::open("/dev/null", O_WRONLY)
                                      : ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  return input >= 0 && output >= 0 && ::dup2(input, 0) >= 0 && ::dup2(output, 1) >= 0 &&
         ::dup2(output, 2) >= 0;
}

bool become(uint32_t uid, uint32_t gid) {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(gid, gid, gid) == 0 && ::setresuid(uid, uid, uid) == 0;
}

/// In the child. Returns only when a step failed. The order matters: the log may lie where only we can write,
/// the directory must be one the service's user can enter.
Failure become_service(const message::Spawn& spawn) {
  ::setsid();
  reset_signals();
  if (!redirect(spawn.log_path)) return {SpawnStep::open_log, errno};
  if (spawn.change_user && !become(spawn.uid, spawn.gid)) return {SpawnStep::change_user, errno};
  if (!spawn.cwd.empty() && ::chdir(spawn.cwd.c_str()) != 0) return {SpawnStep::change_directory, errno};
  apply_environment(spawn.env);
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    const long most = ::sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < most; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  ::execvp(spawn.argv[0].c_str(), pointers(spawn.argv).data());
  return {SpawnStep::execute, errno};
}

}  // namespace

Start start_service(const message::Spawn& spawn) {
  if (spawn.argv.empty()) return {.step = SpawnStep::execute, .error = ENOENT};
  // The pipe closes by itself when the program is executed; otherwise it carries what failed.
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return {.step = SpawnStep::fork, .error = errno};
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    ::close(pipe[0]);
    ::close(pipe[1]);
    return {.step = SpawnStep::fork, .error = error};
  }
  if (pid == 0) {
    ::close(pipe[0]);
    const Failure failure = become_service(spawn);
    [[maybe_unused]] const ssize_t written = ::write(pipe[1], &failure, sizeof failure);
    ::_exit(127);
  }
  ::close(pipe[1]);
  Failure failure;
  ssize_t size = 0;
  do {
    size = ::read(pipe[0], &failure, sizeof failure);
  } while (size < 0 && errno == EINTR);
  ::close(pipe[0]);
  if (size != sizeof failure) return {.pid = pid};
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {.step = failure.step, .error = failure.error};
}

}  // namespace breakwire::process
