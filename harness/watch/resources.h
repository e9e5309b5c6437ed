// Looks up in /proc what services hold: threads, descriptors, memory. Touches /proc and a thread of its own;
// records ResourcesSeen.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "harness/watch/watcher.h"

namespace breakwire::watch {

/// What one process and all its descendants hold together, for a launcher (a shell, npm) is not the service:
/// threads and resident memory from /proc/PID/status, descriptors counted in /proc/PID/fd (proc(5)). Memory
/// that several of them share is counted in each. nullopt when the process is gone (a zombie is), or when
/// its descriptors are not ours to see.
std::optional<history::ResourcesSeen> resources_of(pid_t pid);

struct ResourceSubject {
  ServiceId service;
  std::function<std::optional<pid_t>()> pid;  // of its process now; nullopt while there is none. Thread-safe
};

/// Each subject every `period`, whichever process it is by then.
std::unique_ptr<Watcher> watch_resources(std::vector<ResourceSubject> subjects, history::Sink& sink,
                                         Duration period = std::chrono::milliseconds(50));

}  // namespace breakwire::watch
