#include "faults/relay/edge.h"

#include <boost/asio.hpp>
#include <utility>

namespace breakwire::relay {
namespace {

constexpr Duration looks_every = 10ms;  // for SYNs that were lost, which nothing else tells

}  // namespace

Edge::Edge(Plane& plane, EdgeOptions options, std::vector<Endpoint> upstream)
    : state_{.plane = plane,
             .options = std::move(options),
             .upstream = std::move(upstream),
             .faults = {},
             .last_hits = {}},
      listener_(plane, state_.options.listen,
                {.accepted = [this](Stream stream) { accepted(std::move(stream)); },
                 .exhausted = [this] { out_of_descriptors(); }}),
      unheard_timer_(plane.io) {}

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
      unheard_by_[id] = listener_.lost();
      watch_for_unheard();
    }
  }
  for (const auto& connection : connections()) {
    if (connection->lives()) connection->found(id, state_.faults.found(id, connection->id()));
  }
  return now;
}

Instant Edge::clear(const FaultId& fault) {
  const auto now = clock_now();
  tell_who_was_not_heard();
  unheard_by_.erase(fault);
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
  unheard_timer_.cancel();
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

/// Whose SYN was lost is told by the kernel's count alone.
void Edge::tell_who_was_not_heard() {
  const uint64_t lost = listener_.lost();
  for (auto fault = unheard_by_.begin(); fault != unheard_by_.end();) {
    if (lost <= fault->second) {
      ++fault;
      continue;
    }
    state_.faults.carried_out(fault->first);
    tell_listener_hit(fault->first, clock_now(), faults::Isolate{});
    fault = unheard_by_.erase(fault);
  }
}

void Edge::watch_for_unheard() {
  unheard_timer_.expires_after(looks_every);
  unheard_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || closed_) return;
    tell_who_was_not_heard();
    if (!unheard_by_.empty()) watch_for_unheard();
  });
}

std::optional<Instant> Edge::last_hit(const FaultId& fault) const {
  const auto found = state_.last_hits.find(fault);
  return found == state_.last_hits.end() ? std::nullopt : std::optional(found->second);
}

void Edge::tell_listener_hit(const FaultId& fault, Instant at, const faults::WireAction& action) {
  state_.last_hits[fault] = at;
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
