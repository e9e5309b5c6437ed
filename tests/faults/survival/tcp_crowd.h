// Plain TCP traffic for long runs: an echoing server, and a crowd of clients of which each stays for a
// moment.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "tests/faults/relay/sockets.h"

namespace breakwire::relay::testing {

/// Sends back what it gets, and FIN for FIN, on a thread of its own; some connections it ends itself. The
/// destructor ends all.
class TcpEcho {
 public:
  explicit TcpEcho(uint64_t seed);
  ~TcpEcho();
  TcpEcho(const TcpEcho&) = delete;
  TcpEcho& operator=(const TcpEcho&) = delete;
  uint16_t port() const { return listener_.port(); }
  /// Ends all connections that are open; later ones are served again.
  void hang_up();

 private:
  struct Guest {
    Socket socket;
    std::string owed;
    bool ended = false;        // its FIN came
    size_t until_reset = ~0u;  // bytes it may send before it is reset
    size_t heard = 0;
  };
  void work();
  bool serve(Guest& guest, short events);

  Listener listener_;
  Rng rng_;
  int stop_[2];  // a pipe: 'h' to hang up, closed to stop
  std::thread thread_;
};

/// Clients, a number of them at a time, all on the caller's thread. Each connects, says something, waits a
/// moment for the echo of it, and leaves by FIN, by RST, or by FIN first and then waiting for the other's.
/// Some speak HTTP/2's opening.
class TcpCrowd {
 public:
  struct Sums {
    size_t dialled = 0;
    size_t refused = 0;
    size_t echoed = 0;   // the whole of what they said
    size_t cut_off = 0;  // ended by the other side before that
    size_t gave_up = 0;  // left without it
    size_t gone = 0;     // all together
  };
  TcpCrowd(uint16_t port, uint64_t seed, size_t at_once);

  /// Lets clients come and go until it is `enough`, then lets the last ones go.
  Sums run(const std::function<bool(const Sums&)>& enough);

 private:
  struct Client {
    Socket socket;
    std::string says;
    size_t said = 0;
    size_t heard = 0;
    bool connected = false;
    bool half_closes = false;
    bool half_closed = false;
    bool resets = false;
    Clock::time_point until;
  };
  void come();
  /// Answers whether it is over.
  bool act(Client& client, short events);
  bool leave(Client& client);

  uint16_t port_;
  Rng rng_;
  size_t at_once_;
  std::vector<Client> clients_;
  Sums sums_;
};

}  // namespace breakwire::relay::testing
