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

/// An endpoint, its socket, and how that ended.
struct Http2Peer {
  Http2Peer(Socket of, Endpoint::Role role, Endpoint::Options options = {})
      : socket(std::move(of)), http2(role, std::move(options)) {}

  Socket socket;
  Endpoint http2;
  std::optional<int> end;  // 0 for FIN, else errno (ECONNRESET for RST)

  void write() {
    const std::string output = http2.output();
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
    http2.input({reinterpret_cast<const uint8_t*>(buffer.data()), static_cast<size_t>(got)});
  }
};

/// Lets both do what they want to until it is `done`; false when that takes too long.
inline bool run_until(Http2Peer& a, Http2Peer& b, const std::function<bool()>& done) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    a.write();
    b.write();
    if (done()) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left <= 0ms) return false;
    pollfd polled[] = {{.fd = a.end ? -1 : a.socket.fd(), .events = POLLIN, .revents = 0},
                       {.fd = b.end ? -1 : b.socket.fd(), .events = POLLIN, .revents = 0}};
    ::poll(polled, 2, static_cast<int>(left.count()));
    if (polled[0].revents != 0) a.read();
    if (polled[1].revents != 0) b.read();
  }
}

/// Lets one do so, whose other end is not ours to run; `done` may ask for what happens there.
inline bool run_until(Http2Peer& peer, const std::function<bool()>& done) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    peer.write();
    if (done()) return true;
    if (Clock::now() > deadline || peer.end) return false;
    if (peer.socket.ready(POLLIN, 10ms)) peer.read();
  }
}

}  // namespace breakwire::relay::testing
