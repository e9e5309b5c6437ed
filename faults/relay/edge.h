// An edge: where its callers dial, its connections, and the faults in force on it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <set>

#include "faults/relay/connection.h"
#include "faults/relay/listener.h"

namespace breakwire::relay {

/// Lives on the data-plane thread. Closed before it is destroyed, and destroyed after the io_context has run
/// out of work.
class Edge {
 public:
  /// Listening when constructed. Throws when the port cannot be had.
  Edge(Plane& plane, EdgeOptions options, std::vector<Endpoint> upstream);
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  TcpAddress address() const { return listener_.address(); }
  /// Answers when it came into force.
  Instant arm(faults::WireFaultInstance fault);
  /// Answers when it stopped acting.
  Instant clear(const FaultId& fault);
  faults::FaultTally tally(const FaultId& fault) const { return state_.faults.tally(fault); }
  /// When it last did something; nothing when it never did.
  std::optional<Instant> last_hit(const FaultId& fault) const;
  void redirect(std::vector<Endpoint> upstream) { state_.upstream = std::move(upstream); }
  /// Ends every connection and frees the port.
  void close();

 private:
  void accepted(Stream stream);
  void out_of_descriptors();
  void tell_listener_hit(const FaultId& fault, Instant at, const faults::WireAction& action);
  void tell_who_was_not_heard();
  void watch_for_unheard();
  std::vector<std::shared_ptr<Connection>> connections() const;

  EdgeState state_;
  Listener listener_;
  std::map<ConnectionId, std::shared_ptr<Connection>> connections_;
  std::set<FaultId> refusing_;   // faults that keep the listener closed
  std::set<FaultId> isolating_;  // faults that keep it from hearing SYNs
  std::map<FaultId, uint64_t>
      unheard_by_;  // those of them that have kept nobody out yet: Listener::lost then
  boost::asio::steady_timer unheard_timer_;
  bool closed_ = false;
};

}  // namespace breakwire::relay
