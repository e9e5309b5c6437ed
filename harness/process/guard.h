// The guard: the process that owns every process and temporary directory of a run, and ends them when
// breakwire ends, by SIGKILL too. This is breakwire's side of it; the other is guard_main.cpp. Starts one
// process and one thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace breakwire::process {

class GuardClient;

struct GuardOptions {
  std::string program{};  // path of breakwire-guard; empty: beside the running program
};

/// Constructed means running. The destructor ends every process that is left, removes every directory that is
/// left, and returns when both are done; ChildProcess and TempDirectory objects must be gone by then.
///
/// Threads: everything may be called from any thread, except from an ExitCallback.
/// Errors: the constructor throws SpawnError when the guard cannot be started. Whatever is asked of a guard
/// that has been killed throws std::runtime_error; its processes are gone with it, and whoever waits for one
/// is told that it was ended by SIGKILL.
class Guard {
 public:
  explicit Guard(const GuardOptions& options = {});
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  pid_t pid() const;
  /// It has ended under us, and every process with it. Known before their exits are told.
  bool lost() const;

  GuardClient& client() { return *client_; }  // for ChildProcess and TempDirectory

 private:
  std::unique_ptr<GuardClient> client_;
};

}  // namespace breakwire::process
