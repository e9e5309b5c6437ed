// Temporary directories that must not outlive their owner, and what else must go with them. Used on both
// sides of the guard. Touches files and System V shared memory.
#pragma once

#include <string>

namespace breakwire::process {

/// Makes `parent`/breakwire-XXXXXX, mode 0700. Returns its path, or an empty one with errno set.
std::string make_owned_directory(const std::string& parent);

/// Removes a directory that make_owned_directory made, with everything in it; any other path is left alone.
/// Files that cannot be removed are left. Of a database that was killed in it, the shared memory goes too.
void remove_owned_directory(const std::string& path);

/// Removes the System V segment that a killed postmaster left behind. The kernel keeps it for ever otherwise;
/// nothing of it is needed to start again. `lock_file` is the postmaster.pid; without one there is nothing to
/// do. A segment that is still attached is left to its users.
void remove_shared_memory_of(const std::string& lock_file);

}  // namespace breakwire::process
