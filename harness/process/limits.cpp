#include "harness/process/limits.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <string>

namespace breakwire::process {
namespace {

struct Owner {
  uid_t user = 0;
  gid_t group = 0;
};

/// The effective ones: proc(5), /proc/PID/status.
std::optional<Owner> owner_of(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  Owner owner;
  bool user = false, group = false;
  unsigned real = 0, effective = 0;
  for (std::string key; status >> key;) {
    if (key == "Uid:" && status >> real >> effective) {
      owner.user = effective;
      user = true;
    } else if (key == "Gid:" && status >> real >> effective) {
      owner.group = effective;
      group = true;
    }
    if (user && group) return owner;
  }
  return std::nullopt;
}

/// What the child tells, in memory that both share.
struct Answer {
  rlimit before{};
  int error = ECHILD;  // it never came so far
};

/// Runs in a child of a program with other threads: system calls only, and not by way of the C library, which
/// would want to change the ids of threads that do not exist here.
[[noreturn]] void act_as(const Owner& owner, pid_t process, decltype(RLIMIT_NOFILE) resource,
                         const rlimit* wanted, Answer& answer) {
  const bool done = ::syscall(SYS_setresgid, owner.group, owner.group, owner.group) == 0 &&
                    ::syscall(SYS_setresuid, owner.user, owner.user, owner.user) == 0 &&
                    ::syscall(SYS_prlimit64, process, resource, wanted, &answer.before) == 0;
  answer.error = done ? 0 : errno;
  ::_exit(0);
}

int as_its_owner(pid_t process, decltype(RLIMIT_NOFILE) resource, const rlimit* wanted, rlimit* before) {
  const auto owner = owner_of(process);
  if (!owner) return ESRCH;
  void* const shared =
      ::mmap(nullptr, sizeof(Answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return errno;
  auto* const answer = new (shared) Answer;
  const pid_t child = ::fork();
  if (child == 0) act_as(*owner, process, resource, wanted, *answer);
  int error = errno;
  if (child > 0) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    error = answer->error;
    if (error == 0 && before) *before = answer->before;
  }
  ::munmap(shared, sizeof(Answer));
  return error;
}

}  // namespace

std::error_code limit_of(pid_t process, decltype(RLIMIT_NOFILE) resource, const rlimit* wanted,
                         rlimit* before) {
  int error = ::prlimit(process, resource, wanted, before) == 0 ? 0 : errno;
  if (error == EPERM) error = as_its_owner(process, resource, wanted, before);
  return {error, std::generic_category()};
}

}  // namespace breakwire::process
