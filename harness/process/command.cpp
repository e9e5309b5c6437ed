#include "harness/process/command.h"

#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

namespace breakwire::process {

std::optional<User> unprivileged_user() {
  if (::geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"}) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> text(16 * 1024);
    if (::getpwnam_r(name, &entry, text.data(), text.size(), &found) == 0 && found != nullptr)
      return User{.uid = entry.pw_uid, .gid = entry.pw_gid, .name = name};
  }
  throw std::runtime_error(
      "there is neither an account `postgres` nor `nobody` to run a database as: run breakwire as an "
      "ordinary user");
}

std::string to_text(const ExitStatus& status) {
  if (status.code) return "exit code " + std::to_string(*status.code);
  const char* name = ::sigabbrev_np(status.signal.value_or(0));
  return name != nullptr ? "ended by SIG" + std::string(name)
                         : "ended by signal " + std::to_string(status.signal.value_or(0));
}

}  // namespace breakwire::process
