// Turns a request into a running service: the steps between fork and exec. Used by keepers only.
#pragma once

#include <sys/types.h>

#include "harness/process/guard_protocol.h"

namespace breakwire::process {

struct Start {
  pid_t pid = 0;
  SpawnStep step{};
  int error = 0;  // errno of the step that failed; 0: it runs
};

/// Forks and executes. The service leads its own session and process group, has /dev/null as input, appends
/// its output to its log, has default signal dispositions, an empty signal mask, and no other descriptor of
/// ours. Returns when the program has been executed or a step has failed.
Start start_service(const message::Spawn& spawn);

}  // namespace breakwire::process
