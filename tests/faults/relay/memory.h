// How much memory this process, and so a relay inside it, has in use.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace breakwire::relay::testing {

// Sanitizers keep freed memory for a while, and their own is many times the program's: nothing can be said of
// it there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_is_telling = false;
#elif defined(__has_feature)
inline constexpr bool memory_is_telling = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
inline constexpr bool memory_is_telling = true;
#endif

inline size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace breakwire::relay::testing
