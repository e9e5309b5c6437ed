#include "harness/checks/drain.h"

#include <algorithm>
#include <map>

namespace breakwire::checks {

using history::Event;

std::vector<InboundConnection> inbound_connections(const ServiceId& service,
                                                   const history::History& history) {
  std::vector<InboundConnection> all;
  std::map<ConnectionId, size_t> index;
  const auto find = [&](ConnectionId id) -> InboundConnection* {
    const auto found = index.find(id);
    return found == index.end() ? nullptr : &all[found->second];
  };
  for (const Event& event : history.events()) {
    if (const auto* accepted = std::get_if<faults::ConnectionAccepted>(&event.what)) {
      const history::EdgeSetup* edge = history.setup().edge(accepted->edge);
      if (!edge || edge->to != service || !edge->grpc) continue;
      index[accepted->connection] = all.size();
      InboundConnection& connection = all.emplace_back();
      connection.edge = accepted->edge;
      connection.id = accepted->connection;
      connection.control = edge->control;
      connection.accepted = accepted->at;
      connection.accepted_event = event.number;
    } else if (const auto* refused = std::get_if<faults::UpstreamRefused>(&event.what)) {
      if (auto* connection = find(refused->connection)) connection->refused = true;
    } else if (const auto* call = std::get_if<faults::CallStarted>(&event.what)) {
      auto* connection = find(call->connection);
      if (connection && !history::is_infrastructure(call->method)) ++connection->calls;
    } else if (const auto* goaway = std::get_if<faults::GoawaySeen>(&event.what)) {
      auto* connection = find(goaway->connection);
      if (!connection || goaway->direction != faults::Direction::response) continue;
      if (!connection->first_goaway) {
        connection->first_goaway = goaway->times.received;
        connection->first_goaway_event = event.number;
      }
      connection->graceful = connection->graceful || goaway->code == Http2Error::no_error;
      connection->code = goaway->code;
      connection->last_stream = std::min(connection->last_stream, goaway->last_stream);
    } else if (const auto* ended = std::get_if<faults::ConnectionEnded>(&event.what)) {
      auto* connection = find(ended->connection);
      if (!connection) continue;
      connection->ended = ended->at;
      connection->ended_event = event.number;
      connection->ended_by_service = ended->by == faults::Peer::upstream && ended->fault.empty();
    }
  }
  return all;
}

Instant answered_on_the_wire(const Event& event, const history::HealthSeen& seen,
                             const std::vector<const history::Attempt*>& checks) {
  Instant earliest = event.at;
  for (const history::Attempt* check : checks) {
    if (!check->end || check->received < seen.asked) continue;
    earliest = std::min(earliest, check->end->received);
  }
  return earliest;
}

}  // namespace breakwire::checks
