// What a process under measurement has used, read from /proc.
#pragma once

#include <sys/types.h>

namespace bench {

/// Processor time in seconds, user and system, of a process and all its living descendants, to the nanosecond
/// (/proc/PID/task/*/schedstat).
double processor_seconds(pid_t pid);

/// Memory in bytes that the process and its descendants have written to and share with nobody (Private_Dirty
/// of /proc/PID/smaps_rollup, proc(5)). What the kernel keeps for their sockets is not in it.
double own_memory(pid_t pid);

}  // namespace bench
