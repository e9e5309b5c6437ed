// Resource limits of another process, also of one that runs as another user.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <system_error>

namespace breakwire::process {

/// prlimit(2). The kernel lets a process do that to those of its own user and group, and to others with
/// CAP_SYS_RESOURCE, which not even root has everywhere. Where it is refused, a short-lived child that takes
/// the other's user and group does it, which takes CAP_SETUID and CAP_SETGID: what root needed to start a
/// process as another user in the first place.
///
/// `wanted` and `before` may each be nullptr. Any thread may call it.
std::error_code limit_of(pid_t process, decltype(RLIMIT_NOFILE) resource, const rlimit* wanted,
                         rlimit* before);

}  // namespace breakwire::process
