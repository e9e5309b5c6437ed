// libnghttp2 on real sockets, at both ends of an edge: the witness of what HTTP/2 the relay speaks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "tests/faults/http2/endpoint.h"
#include "tests/faults/relay/sockets.h"

namespace breakwire::relay::testing {

using http2::testing::Endpoint;
using http2::testing::grpc_message;

/// Lets something speak over a socket.
struct SocketPeer {
  SocketPeer(Socket of, http2::testing::End& end_of_it) : socket(std::move(of)), speaker_(end_of_it) {}

  Socket socket;
  std::optional<int> end;  // 0 for FIN, else errno (ECONNRESET for RST)

  void write() {
    const std::string output = speaker_.output();
    // Whoever writes into a connection that was reset is told so, and the next read is not.
    if (!output.empty() && !end && !socket.send(output)) end = errno;
  }
  void read() {
    std::string buffer(64 * 1024, '\0');
    const auto got = ::recv(socket.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      end = got == 0 ? 0 : errno;
      return;
    }
    speaker_.input({reinterpret_cast<const uint8_t*>(buffer.data()), static_cast<size_t>(got)});
  }

 private:
  http2::testing::End& speaker_;
};

/// An endpoint, its socket, and how that ended.
struct Http2Peer : SocketPeer {
  Http2Peer(Socket of, Endpoint::Role role, Endpoint::Options options = {})
      : SocketPeer(std::move(of), http2), http2(role, std::move(options)) {}

  Endpoint http2;
};

/// Each writes what it wants to say and reads what is there, or comes within `wait`.
inline void take_turns(SocketPeer& a, SocketPeer& b, std::chrono::milliseconds wait) {
  a.write();
  b.write();
  pollfd polled[] = {{.fd = a.end ? -1 : a.socket.fd(), .events = POLLIN, .revents = 0},
                     {.fd = b.end ? -1 : b.socket.fd(), .events = POLLIN, .revents = 0}};
  ::poll(polled, 2, static_cast<int>(wait.count()));
  if (polled[0].revents != 0) a.read();
  if (polled[1].revents != 0) b.read();
}

/// Lets both do what they want to until it is `done`; false when that takes too long.
inline bool run_until(SocketPeer& a, SocketPeer& b, const std::function<bool()>& done) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    a.write();
    b.write();
    if (done()) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left <= 0ms) return false;
    take_turns(a, b, left);
  }
}

/// Lets one do so, whose other end is not ours to run; `done` may ask for what happens there.
inline bool run_until(SocketPeer& peer, const std::function<bool()>& done) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    peer.write();
    if (done()) return true;
    if (Clock::now() > deadline || peer.end) return false;
    if (peer.socket.ready(POLLIN, 10ms)) peer.read();
  }
}

}  // namespace breakwire::relay::testing
