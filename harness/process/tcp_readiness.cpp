#include "harness/process/tcp_readiness.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace breakwire::process {
namespace {

constexpr Duration look_again = 10ms;  // between two attempts that were refused
constexpr Duration stop_noticed_within = 20ms;
constexpr Duration longest_attempt = 500ms;  // a SYN that is dropped is sent again rather than waited for

int milliseconds_until(Instant deadline, Duration most) {
  const auto left = std::min<Duration>(deadline - std::chrono::steady_clock::now(), most);
  return static_cast<int>(std::max<Duration>(left, 0ns) / 1ms + 1);
}

/// 0 when connected, else an errno.
int attempt(const addrinfo& address, Instant deadline, const std::stop_token& stop) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    const Instant end = std::min(deadline, std::chrono::steady_clock::now() + longest_attempt);
    pollfd socket{.fd = fd, .events = POLLOUT};
    do {  // once at least: at the deadline a refusal may be waiting already
      ::poll(&socket, 1, milliseconds_until(end, stop_noticed_within));
    } while (socket.revents == 0 && !stop.stop_requested() && std::chrono::steady_clock::now() < end);
    socklen_t length = sizeof error;
    if (socket.revents == 0)
      error = ETIMEDOUT;
    else
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  }
  ::close(fd);
  return error;
}

}  // namespace

ConnectableResult wait_until_connectable(const std::string& host, uint16_t port, Instant deadline,
                                         const std::stop_token& stop) {
  ConnectableResult result;
  while (true) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
        code != 0) {
      result.last_error = ::gai_strerror(code);
    } else {
      const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
      for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
        const int error = attempt(*address, deadline, stop);
        if (error == 0) return {.outcome = Connectable::yes, .last_error = {}};
        result.last_error = std::generic_category().message(error);
      }
    }
    result.outcome = stop.stop_requested() ? Connectable::stopped : Connectable::deadline_passed;
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline) return result;
    ::poll(nullptr, 0, milliseconds_until(deadline, look_again));
  }
}

}  // namespace breakwire::process
