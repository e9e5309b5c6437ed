// A program of the user's, run beside the services from its start to its end. Touches harness/process.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "harness/process/child_process.h"

namespace breakwire::run {

/// How it went.
struct CommandEnd {
  std::optional<process::ProcessExited> exited;  // nothing: it could not be ended
  bool told_to_end = false;                      // it was asked to, or its time was over, before it ended
  std::vector<std::string> last_output;
};

/// Constructed means running. It ends by itself, or at `until`, or by `stop`: then by SIGTERM to it and all
/// it started, followed 2 s later by SIGKILL. Nothing that it started outlives it. The destructor kills at
/// once.
class RunningCommand {
 public:
  struct Told {
    std::function<void()> started = [] {};  // once, before `ended`, in the constructor
    std::function<void(const CommandEnd&)> ended = [](const CommandEnd&) {};  // once, on another thread
  };
  /// Throws SpawnError.
  RunningCommand(process::Guard& guard, process::Command command, std::optional<Instant> until, Told told);
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  /// Asks it to end; does not wait.
  void stop() { stop_.request_stop(); }
  /// Stops it and waits: some seconds for one that does not listen.
  void finish();
  /// And `ended` has returned.
  bool ended() const { return ended_; }

 private:
  void see_it_through(std::optional<Instant> until);
  std::optional<process::ProcessExited> end_it();

  const Told told_;
  process::ChildProcess child_;
  std::stop_source stop_, kill_;
  std::atomic<bool> ended_ = false;
  std::thread waiter_;
};

}  // namespace breakwire::run
