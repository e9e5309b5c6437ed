// The network layer of a scenario: one relay per edge, all on one data-plane thread with one clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "faults/fault_set.h"
#include "faults/http2/session.h"
#include "faults/observation.h"

namespace breakwire::relay {

struct TcpAddress {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  bool operator==(const TcpAddress&) const = default;
};
struct UnixAddress {
  std::string path;
  bool operator==(const UnixAddress&) const = default;
};
using Address = std::variant<TcpAddress, UnixAddress>;
std::string to_text(const Address& address);

enum class EdgeProtocol {
  detect,  // HTTP/2 if the first bytes are its preface, else plain TCP
  tcp,     // never look
};

struct EdgeOptions {
  EdgeId id;
  TcpAddress
      listen;  // port 0: any; the port is reserved as long as the edge lives, also while a fault refuses
  Address upstream;
  EdgeProtocol protocol = EdgeProtocol::detect;
  std::string correlation_key;  // see SessionOptions
  http2::Limits limits;
  Duration handshake_timeout = 10s;  // from accept to the client's SETTINGS on an HTTP/2 connection
};

/// When a fault stopped acting, and what it came to.
struct Healed {
  Instant at;
  faults::FaultTally tally;
  std::optional<Instant> last_hit;  // of bytes and control frames every one counts, not only those told
};

/// A fault in force. When `heal` or the destructor returns, the fault no longer acts.
class ActiveFault {
 public:
  virtual ~ActiveFault() = default;
  /// Once only. From `at` on it acts on nothing new, and what it held is released.
  virtual Healed heal() = 0;
  virtual faults::FaultTally tally() const = 0;
};

/// How much time the relay itself added, between a chunk read and written, when no fault delayed it.
struct Overhead {
  uint64_t samples = 0;
  double p50_us = 0;
  double p99_us = 0;
  double max_us = 0;
};

/// Constructed means running. The destructor closes every edge. Observations come on the data-plane thread.
class Network {
 public:
  explicit Network(faults::Observer& observer);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Starts listening; answers the address to dial. Throws std::system_error when the port cannot be had.
  TcpAddress open(EdgeOptions options);
  /// In force when it returns; `at` is when it came into force.
  std::unique_ptr<ActiveFault> arm(const EdgeId& edge, faults::WireFaultInstance fault,
                                   Instant* at = nullptr);
  /// The edge dials another address from now on (a service that came back elsewhere); existing connections
  /// stay.
  void redirect(const EdgeId& edge, Address upstream);
  Overhead overhead() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the faults in force
};

}  // namespace breakwire::relay
