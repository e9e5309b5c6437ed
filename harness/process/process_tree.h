// Who descends from whom, read from /proc, and signals to whole families. Touches /proc and kill(2) only;
// used by the guard, and by whoever wants to see what a service consists of.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <vector>

namespace breakwire::process {

/// One line of /proc/PID/stat (proc(5)).
struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';  // 'R', 'S', 'D', 'T' stopped, 'Z' zombie, …
  unsigned long long born =
      0;  // start time in clock ticks since boot; with the pid it names one process for ever
};

/// Nothing when there is no such process (any more).
std::optional<ProcessInfo> process_info(pid_t pid);

/// All living descendants of `root` (zombies left out, `root` itself too), parents before their children. A
/// process that changes its parent while /proc is being read may be missed.
std::vector<ProcessInfo> descendants_of(pid_t root);

/// Sends to exactly this process, never to a later one with its pid. False when it is gone or not ours to
/// signal.
bool send_signal(const ProcessInfo& process, int signo);

/// Sends once to every descendant of `root`, parents first, looking again until no new one appears. Returns
/// how many got it.
int signal_descendants(pid_t root, int signo);

}  // namespace breakwire::process
