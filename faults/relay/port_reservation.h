// A TCP port of 127.0.0.1 kept for one owner for as long as this object lives. Used by relays for the ports
// they listen on and by the harness for the ports it gives to services. Touches sockets; starts nothing.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace breakwire::relay {

/// Somebody else has the port. `what()` is a sentence for the user, with the next move.
class PortInUse : public std::runtime_error {
 public:
  explicit PortInUse(uint16_t port);
};

/// A bound socket that never listens. While it lives
/// - a connect to the port is refused (RST), until the owner listens, and again when it stops;
/// - the owner, or a service told the port, may bind and listen over it, any number of times, if its socket
/// sets
///   SO_REUSEADDR (gRPC in every language, Go, Node and Asio's acceptor do);
/// - the kernel gives the port to nobody who asks for any free port, nor to an outgoing connection;
/// - a second reservation of it, by any breakwire in this network namespace, is refused.
/// The sockets are close-on-exec: a process started meanwhile does not prolong the reservation.
class PortReservation {
 public:
  /// Any free port. Throws std::system_error when there is none.
  PortReservation();

  /// This very port (not 0). Throws PortInUse when it is listened on, connected from or reserved by somebody
  /// else; std::system_error with EACCES when it needs privileges. Connections in TIME_WAIT do not matter.
  explicit PortReservation(uint16_t port);

  ~PortReservation();
  PortReservation(PortReservation&& other) noexcept;
  PortReservation& operator=(PortReservation&& other) noexcept;

  uint16_t port() const { return port_; }

 private:
  uint16_t port_ = 0;
  int socket_ = -1;
  int lock_ = -1;  // SO_REUSEADDR lets a second reserver bind; this abstract Unix socket refuses it
};

}  // namespace breakwire::relay
