// Hand-made peers for the relay's tests: plain blocking POSIX sockets, every wait with a deadline. They are
// the witness that is not us: what they see is what the kernel tells any program.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace breakwire::relay::testing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline constexpr auto patience = 10s;  // how long a test waits for what must happen
inline constexpr auto glance = 100ms;  // how long it looks for what must not

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Socket() { close(); }

  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// RST instead of FIN.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void send_fin() { ::shutdown(fd_, SHUT_WR); }

  /// Waits for poll's `events` (or an error or hang-up).
  bool ready(short events, std::chrono::milliseconds wait) const {
    pollfd polled{.fd = fd_, .events = events, .revents = 0};
    return ::poll(&polled, 1, static_cast<int>(wait.count())) == 1;
  }

  /// Sends everything; false when the peer is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  /// The pattern over and over, until the kernel has taken no more for as long as `pause`; answers how much.
  size_t send_until_stuck(std::string_view pattern, size_t at_most, std::chrono::milliseconds pause) {
    size_t total = 0;
    while (total < at_most && ready(POLLOUT, pause)) {
      const auto piece = pattern.substr(total % pattern.size(), at_most - total);
      const auto sent = ::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) total += static_cast<size_t>(sent);
      if (sent < 0 && errno != EAGAIN) break;
    }
    return total;
  }

  /// Exactly so many bytes; fewer when the peer ends before, or when patience does.
  std::string receive(size_t count) {
    std::string bytes(count, '\0');
    size_t got = 0;
    while (got < count && ready(POLLIN, patience)) {
      const auto read = ::recv(fd_, bytes.data() + got, count - got, 0);
      if (read <= 0) break;
      got += static_cast<size_t>(read);
    }
    bytes.resize(got);
    return bytes;
  }
  /// The next end: 0 for FIN, else errno (ECONNRESET for RST). -1 when there is none in time; -2 for bytes.
  int receive_end(std::chrono::milliseconds wait = patience) {
    if (!ready(POLLIN, wait)) return -1;
    char byte = 0;
    const auto read = ::recv(fd_, &byte, 1, 0);
    if (read > 0) return -2;
    return read == 0 ? 0 : errno;
  }
  /// Reads everything up to the end, and answers that: 0 for FIN, else errno; -1 when there is none in time.
  int drain() {
    std::string buffer(1 << 20, '\0');
    while (ready(POLLIN, patience)) {
      const auto read = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (read <= 0) return read == 0 ? 0 : errno;
    }
    return -1;
  }
  /// Nothing arrives: no byte, no FIN, no RST.
  bool silent(std::chrono::milliseconds wait = glance) const { return !ready(POLLIN | POLLRDHUP, wait); }

  tcp_info info() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    EXPECT_EQ(::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info;
  }

 private:
  int fd_ = -1;
};

inline sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// Connects; `error` becomes connect's errno, or 0.
inline Socket dial(uint16_t port, int& error) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto address = loopback(port);
  const int result = ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  error = result == 0 ? 0 : errno;
  return socket;
}
inline Socket dial(uint16_t port) {
  int error = 0;
  auto socket = dial(port, error);
  EXPECT_EQ(error, 0);
  return socket;
}

/// A TCP port of its own, or a Unix path.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    bind_and_listen(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    ::getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  explicit Listener(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    bind_and_listen(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  uint16_t port() const { return port_; }
  int fd() const { return socket_.fd(); }
  Socket accept() {
    EXPECT_TRUE(socket_.ready(POLLIN, patience)) << "nobody connects";
    return Socket(::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  bool nobody_connects() const { return !socket_.ready(POLLIN, glance); }
  void close() { socket_.close(); }

 private:
  void bind_and_listen(const sockaddr* address, socklen_t size) {
    EXPECT_EQ(::bind(socket_.fd(), address, size), 0);
    EXPECT_EQ(::listen(socket_.fd(), 128), 0);
  }

  Socket socket_;
  uint16_t port_ = 0;
};

}  // namespace breakwire::relay::testing
