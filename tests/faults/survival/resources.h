// What this process holds at the moment: descriptors, threads, memory.
#pragma once

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <system_error>
#include <thread>

#include "tests/faults/relay/memory.h"

namespace breakwire::relay::testing {

inline size_t entries_of(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}
/// How many there are of each kind: "socket", "anon_inode:[eventpoll]", …
inline std::map<std::string, size_t> open_descriptors() {
  std::map<std::string, size_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    std::string what = std::filesystem::read_symlink(entry.path(), gone).string();
    if (const auto inode = what.find(":["); inode != std::string::npos && !what.starts_with("anon_"))
      what.resize(inode);
    if (!gone) ++found[what];
  }
  return found;
}
/// The sockets among them, with their ports and the state of their TCP (1: established, 8: CLOSE_WAIT, 10:
/// listening).
inline std::string open_sockets() {
  std::string text;
  const auto port_by = [](int fd, auto ask) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    return ask(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0
               ? std::to_string(ntohs(address.sin_port))
               : "-";
  };
  for (int fd = 3; fd < 4096; ++fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    text += "fd " + std::to_string(fd) + " from " + port_by(fd, ::getsockname) + " to " +
            port_by(fd, ::getpeername) + " state " + std::to_string(info.tcpi_state) + "\n";
  }
  return text;
}
inline size_t threads() { return entries_of("/proc/self/task"); }

/// The threads once they are so many: the kernel lists one for a moment after it was joined.
inline size_t threads_settled(size_t expected) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (threads() != expected && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  return threads();
}

/// What was allocated and not given back; 0 where memory is not telling.
inline size_t bytes_in_use() {
  if (!memory_is_telling) return 0;
  const auto all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
}

/// A line of /proc/self/status, in bytes.
inline size_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    size_t kilobytes = 0;
    if (word == name + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}
/// The most that was resident since `forget_peak` (proc(5), clear_refs).
inline size_t peak_bytes() { return status_bytes("VmHWM"); }
/// False where it cannot be forgotten: the peak is then the process's whole past, or not known at all.
inline bool forget_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << 5 << std::flush;
  return file.good() && peak_bytes() > 0;
}

/// As many descriptors as the system lets this process have.
inline void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace breakwire::relay::testing
