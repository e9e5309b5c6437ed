// A listening socket whose port stays ours also while it is closed.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>

#include "faults/relay/plane.h"
#include "faults/relay/port_reservation.h"
#include "faults/relay/stream.h"

namespace breakwire::relay {

/// The port is reserved as long as the listener lives: while it is closed a SYN is answered by RST, and
/// nobody else can take the port.
class Listener {
 public:
  struct Callbacks {
    std::function<void(Stream)> accepted;
    /// No descriptors are left (or memory); once per spell. Peers wait in the backlog until there are some.
    std::function<void()> exhausted;
  };

  /// Listening when constructed. Throws (std::system_error, PortInUse) when the port cannot be had.
  Listener(Plane& plane, const TcpAddress& address, Callbacks callbacks);
  TcpAddress address() const;

  /// Connections that wait in the accept backlog get a RST too.
  void stop_listening();
  void listen_again();
  /// While `deaf`, SYNs are lost (PacketFilter), also after it was closed and listens again; else they are
  /// answered. Of a handshake that had begun the end is lost too. Answers whether the kernel does it.
  bool make_deaf(bool deaf);
  /// How many SYNs (or ends of a handshake) were lost while it was deaf, in all.
  uint64_t lost() const { return lost_ + (filter_ ? filter_->dropped() : 0); }
  /// For good: the port is free.
  void close();

 private:
  boost::system::error_code listen();
  void apply_deafness();
  void hear_again();
  void wait();
  void accept();
  void retry(void (Listener::*what)());

  Plane& plane_;
  Callbacks callbacks_;
  std::optional<PortReservation> reservation_;
  asio::ip::tcp::endpoint endpoint_;
  asio::ip::tcp::acceptor acceptor_;
  bool deaf_ = false;
  std::optional<PacketFilter> filter_;
  uint64_t lost_ = 0;  // by filters that are gone
  asio::steady_timer pause_;
  bool exhausted_ = false;
  unsigned spell_ = 0;  // of listening: handlers of an earlier one find out
};

}  // namespace breakwire::relay
