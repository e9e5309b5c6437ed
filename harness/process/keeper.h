// The keeper of one service: a fork of the guard that starts the service and is the subreaper of everything
// that descends from it, so that "this service's processes" is a fact and not a guess. It is the only one
// that signals the service and the only one that reaps it: a signal never reaches a stranger who was given
// the pid.
#pragma once

#include <sys/types.h>

#include "harness/process/guard_protocol.h"

namespace breakwire::process {

/// Runs in the keeper's own process, speaks to the guard over `socket`, and never returns. Starts `spawn`,
/// obeys signals, reports exits, and ends when the family has died out. When the guard is gone it kills the
/// family.
[[noreturn]] void keep(const message::Spawn& spawn, int socket);

/// Blocks SIGCHLD for this process and returns a descriptor that becomes readable with it.
int child_signals();

/// What is said about a child that waitpid(2) has just returned, stamped with CLOCK_MONOTONIC.
message::Exited exit_message(ProcessNumber process, pid_t pid, int wait_status);

/// Closes every descriptor from `first` up.
void close_from(int first);

}  // namespace breakwire::process
