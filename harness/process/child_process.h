// A process that belongs to an object. Touches the guard, and reads the log it writes to.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/process/command.h"
#include "harness/process/guard.h"

namespace breakwire::process {

struct GuardedProcess;

/// A running process and everything that descends from it, daemons included: its family. None of it outlives
/// this object (nor breakwire): the destructor kills the family and waits until it is gone.
///
/// A process that dies is an event of the system under test and never an exception: learn of it by `on_exit`,
/// `wait` or `exited`, and quote `last_output_lines`.
class ChildProcess {
 public:
  /// Starts it; returns when its program has been executed. Throws SpawnError.
  /// `on_exit` is called once, when it has ended, on the guard's reader thread, which may be before the
  /// constructor returns and is never during or after the destructor. It must be quick and must not signal,
  /// spawn or destroy.
  ChildProcess(Guard& guard, Command command, ExitCallback on_exit = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  const Command& command() const { return command_; }

  /// To the process alone. False when it has ended already, which is no error; another process that was given
  /// its pid is never hit. Returns when the signal has been sent.
  bool signal(int signo);
  /// To the whole family, parents first, looking again until no new member appears: SIGSTOP freezes it,
  /// SIGKILL keeps killing until it is gone. Returns how many processes got it.
  int signal_family(int signo);

  /// Nothing while it runs.
  std::optional<ProcessExited> exited() const;
  /// Waits for its end, the deadline, or `stop`; nothing when it still runs then.
  std::optional<ProcessExited> wait(Instant deadline, const std::stop_token& stop = {}) const;
  /// Waits until its whole family is gone; false when it is not by then. A frozen or daemonised member
  /// counts.
  bool wait_family_gone(Instant deadline, const std::stop_token& stop = {}) const;
  /// Members that lost their parent and have ended since.
  size_t orphans_reaped() const;

  /// The last lines this process (not an earlier one with the same log) has written; an unfinished one
  /// counts. Lines are cut at 500 bytes, control characters are left out. Empty without a log.
  std::vector<std::string> last_output_lines(size_t count) const;

 private:
  Guard& guard_;
  Command command_;
  size_t log_start_;  // size of the log before the start, in bytes
  std::shared_ptr<GuardedProcess> process_;
  pid_t pid_ = 0;
};

}  // namespace breakwire::process
