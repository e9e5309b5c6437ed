#include "faults/relay/port_reservation.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace breakwire::relay {
namespace {

std::string sentence(uint16_t port) {
  const std::string number = std::to_string(port);
  return "port " + number +
         " of 127.0.0.1 is in use by another process: end it (`ss -tnap 'sport = :" + number +
         "'` names it) or choose another port";
}

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

int new_socket(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(errno, "cannot create a socket");
  return fd;
}

/// The socket bound to 127.0.0.1:`port` (0: any); -1 when the port is taken.
int bind_port(uint16_t port) {
  const int fd = new_socket(AF_INET);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  ::close(fd);
  if (error == EADDRINUSE && port != 0) return -1;
  fail(error, "cannot bind port " + (port == 0 ? "0 (any)" : std::to_string(port)) + " of 127.0.0.1");
}

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

/// A name in the abstract Unix namespace, which ends with its owner and is private to the network namespace
/// just as ports are; -1 when another reservation has it.
int lock_port(uint16_t port) {
  const int fd = new_socket(AF_UNIX);
  const std::string name = "breakwire-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0) return fd;
  const int error = errno;
  ::close(fd);
  if (error == EADDRINUSE) return -1;
  fail(error, "cannot lock port " + std::to_string(port));
}

void close_if_open(int fd) {
  if (fd >= 0) ::close(fd);
}

}  // namespace

PortInUse::PortInUse(uint16_t port) : std::runtime_error(sentence(port)) {}

PortReservation::PortReservation() {
  // The kernel chooses a port nobody has; only a stranger squatting on the lock's name makes another try
  // necessary.
  for (int attempt = 0; attempt < 16; ++attempt) {
    socket_ = bind_port(0);
    port_ = port_of(socket_);
    try {
      lock_ = lock_port(port_);
    } catch (...) {
      ::close(socket_);
      throw;
    }
    if (lock_ >= 0) return;
    ::close(socket_);
  }
  fail(EADDRINUSE, "cannot reserve a free port of 127.0.0.1");
}

PortReservation::PortReservation(uint16_t port) : port_(port) {
  assert(port != 0);
  lock_ = lock_port(port);
  if (lock_ < 0) throw PortInUse(port);
  try {
    socket_ = bind_port(port);
  } catch (...) {
    ::close(lock_);
    throw;
  }
  if (socket_ < 0) {
    ::close(lock_);
    throw PortInUse(port);
  }
}

PortReservation::~PortReservation() {
  close_if_open(socket_);
  close_if_open(lock_);
}

PortReservation::PortReservation(PortReservation&& other) noexcept
    : port_(std::exchange(other.port_, uint16_t{0})),
      socket_(std::exchange(other.socket_, -1)),
      lock_(std::exchange(other.lock_, -1)) {}

PortReservation& PortReservation::operator=(PortReservation&& other) noexcept {
  std::swap(port_, other.port_);
  std::swap(socket_, other.socket_);
  std::swap(lock_, other.lock_);
  return *this;
}

}  // namespace breakwire::relay
