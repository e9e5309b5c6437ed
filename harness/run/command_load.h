// A load that is a command: the user's own client, run under the guard. The wire tells what it called.
// Touches harness/process; records LoadBegan, CommandEnded and LoadEnded.
#pragma once

#include <memory>

#include "harness/load/load.h"
#include "harness/process/command.h"
#include "harness/process/guard.h"
#include "harness/run/names.h"
#include "harness/run/recorder.h"

namespace breakwire::run {

struct CommandLoadOptions {
  const scenario::Load& load;
  process::Guard& guard;
  Recorder& recorder;
  const Addresses& addresses;
  const std::string& bin;
  const scenario::Lookup& environment;
  std::string log_path;  // what it prints
};

/// What is run, with every placeholder replaced. Throws SetupError, placed at the load, for one that stands
/// for nothing (an environment variable that is not set).
process::Command command_of(const CommandLoadOptions& options);

/// Starts it; constructed means running. It ends by itself, or, after the load's `for` and by `stop`, by
/// SIGTERM to it and all it started, followed 2 s later by SIGKILL; either way CommandEnded is recorded once,
/// `timed_out` when it was ended, and then LoadEnded, when nothing of its family is alive. The destructor
/// kills at once. Throws SetupError when it cannot be started. Everything in `options` must outlive it.
std::unique_ptr<load::RunningLoad> start_command(const CommandLoadOptions& options);

}  // namespace breakwire::run
