#include "faults/relay/edge.h"

#include <utility>

namespace breakwire::relay {

Edge::Edge(Plane& plane, EdgeOptions options, std::vector<Endpoint> upstream)
    : state_{.plane = plane, .options = std::move(options), .upstream = std::move(upstream), .faults = {}},
      listener_(plane, state_.options.listen,
                {.accepted = [this](Stream stream) { accepted(std::move(stream)); },
                 .exhausted = [this] { out_of_descriptors(); }}) {}

Instant Edge::arm(faults::WireFaultInstance fault) {
  const auto now = clock_now();
  const auto id = fault.id;
  const auto action = state_.faults.arm(std::move(fault), now);
  if (std::holds_alternative<faults::StopListening>(action)) {
    if (refusing_.empty()) listener_.stop_listening();
    refusing_.insert(id);
    tell_listener_hit(id, now, action);
  } else if (std::holds_alternative<faults::Isolate>(action)) {
    isolating_.insert(id);
    // Where the kernel does not let us, connections are accepted and what they bring is held.
    if (listener_.make_deaf(true)) {
      tell_listener_hit(id, now, action);
    } else {
      tell_listener_hit(id, now, faults::Hold{});
    }
  }
  for (const auto& connection : connections()) {
    if (connection->lives()) connection->found(id, state_.faults.found(id, connection->id()));
  }
  return now;
}

Instant Edge::clear(const FaultId& fault) {
  const auto now = clock_now();
  const auto action = state_.faults.clear(fault, now);
  for (const auto& connection : connections()) {
    connection->fault_cleared(fault);
    connection->found(fault, action);
  }
  if (isolating_.erase(fault) > 0 && isolating_.empty()) listener_.make_deaf(false);
  if (refusing_.erase(fault) > 0 && refusing_.empty() && !closed_) listener_.listen_again();
  return now;
}

void Edge::close() {
  closed_ = true;
  listener_.close();
  for (const auto& connection : connections()) connection->shut_down();
}

void Edge::accepted(Stream stream) {
  const ConnectionId id{++state_.plane.last_connection};
  const auto connection =
      std::make_shared<Connection>(state_, id, [this](ConnectionId over) { connections_.erase(over); });
  connections_.emplace(id, connection);
  connection->accept(std::move(stream));
}

void Edge::tell_listener_hit(const FaultId& fault, Instant at, const faults::WireAction& action) {
  state_.plane.observer.observe(faults::FaultHit{.edge = state_.options.id,
                                                 .fault = fault,
                                                 .connection = {},
                                                 .stream = 0,
                                                 .at = at,
                                                 .action = faults::name_of(action)});
}

void Edge::out_of_descriptors() {
  state_.plane.observer.observe(faults::LimitReached{.edge = state_.options.id,
                                                     .connection = {},
                                                     .at = clock_now(),
                                                     .by = faults::Peer::relay,
                                                     .limit = "descriptors"});
}

std::vector<std::shared_ptr<Connection>> Edge::connections() const {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  return all;
}

}  // namespace breakwire::relay
