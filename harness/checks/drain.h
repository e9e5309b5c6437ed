// What the wire shows of a service that is going away: its inbound connections and the GOAWAYs on them. Pure;
// for graceful_shutdown.
#pragma once

#include <optional>
#include <vector>

#include "harness/history/calls.h"

namespace breakwire::checks {

/// One connection that reached a service.
struct InboundConnection {
  static constexpr uint32_t no_limit = 0x7fffffff;  // the last stream id of a first GOAWAY (RFC 9113 §6.8)

  EdgeId edge;
  ConnectionId id;
  bool control = false;
  Instant accepted;
  EventNumber accepted_event;
  bool refused = false;  // the service did not take it
  uint64_t calls = 0;    // business calls begun on it

  std::optional<Instant> ended;
  EventNumber ended_event;
  bool ended_by_service = false;  // else by its caller, the relay's limits, or a fault

  std::optional<Instant> first_goaway;  // read from the service
  EventNumber first_goaway_event;
  bool graceful = false;            // one of them said NO_ERROR
  Http2Error code{};                // of the last one
  uint32_t last_stream = no_limit;  // the lowest it said
};

/// All connections on the edges that lead to `service`, control edges included, in the order they came.
std::vector<InboundConnection> inbound_connections(const ServiceId& service, const history::History& history);

/// When a health answer passed the wire: the client that asks tells of it a little later than the relay saw
/// it, and it is the relay that orders answers and GOAWAYs. `seen.at` when no Check on the control edge fits.
Instant answered_on_the_wire(const history::Event& event, const history::HealthSeen& seen,
                             const std::vector<const history::Attempt*>& checks);

}  // namespace breakwire::checks
