// A port on which connections are accepted and reset, as long as the service behind it is not there.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace breakwire {

/// Listens on loopback, resets its first connections, then stops listening.
class ResettingListener {
 public:
  ResettingListener() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 1);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~ResettingListener() {
    if (listener_ >= 0) close(listener_);
  }
  ResettingListener(const ResettingListener&) = delete;
  ResettingListener& operator=(const ResettingListener&) = delete;

  int port() const { return port_; }
  bool reset_connections(int count) {
    for (int i = 0; i < count; ++i) {
      pollfd ready{.fd = listener_, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, 10'000) != 1) return false;
      const int connection = accept(listener_, nullptr, nullptr);
      const linger reset{.l_onoff = 1, .l_linger = 0};  // no TIME_WAIT on the port that is used again
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      close(connection);
    }
    close(listener_);
    listener_ = -1;
    return true;
  }

 private:
  int listener_;
  int port_ = 0;
};

}  // namespace breakwire
