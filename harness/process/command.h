// What to run, and how it ended. Plain data.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "base/duration.h"

namespace breakwire::process {

/// Another account to run as. Only root can ask for it.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  bool operator==(const User&) const = default;
};

/// Who runs what refuses to be root, such as PostgreSQL: `postgres` if there is such an account, else
/// `nobody`. Nothing when breakwire does not run as root: then everything runs as the user who started it.
/// Throws std::runtime_error when root has neither account.
std::optional<User> unprivileged_user();

struct Command {
  std::vector<std::string> argv{};  // argv[0]: a path, or a name looked up in PATH
  std::map<std::string, std::string>
      env{};               // added to the environment breakwire had when the guard was started
  std::string cwd{};       // empty: breakwire's
  std::string log_path{};  // stdout and stderr are appended to it, by an absolute path; empty: thrown away
  std::optional<User> user{};
};

/// How a process ended: exactly one of the two is set.
struct ExitStatus {
  std::optional<int> code{};    // 0..255
  std::optional<int> signal{};  // 1..64
  bool operator==(const ExitStatus&) const = default;
};

/// "exit code 1", "ended by SIGKILL".
std::string to_text(const ExitStatus& status);

struct ProcessExited {
  pid_t pid = 0;
  ExitStatus status{};
  Instant
      at{};  // when it was reaped, at once after its end; stamped outside of breakwire, however busy that is
};

using ExitCallback = std::function<void(const ProcessExited&)>;

/// A process could not be started. `what()` is a sentence: which program, which step, and the next move.
class SpawnError : public std::runtime_error {
 public:
  SpawnError(const std::string& sentence, std::error_code code) : std::runtime_error(sentence), code_(code) {}
  std::error_code code() const { return code_; }

 private:
  std::error_code code_;
};

}  // namespace breakwire::process
