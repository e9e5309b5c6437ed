#include "harness/history/in_flight.h"

#include "faults/match.h"
#include "harness/history/calls.h"

namespace breakwire::history {

InFlight::InFlight(const Setup& setup) {
  for (const auto& edge : setup.edges) edges_[edge.id] = {edge.to, edge.control};
}

void InFlight::over(const Key& key) {
  const auto found = live_.find(key);
  if (found == live_.end()) return;
  if (found->second.forwarded) --forwarded_[found->second.edge];
  live_.erase(found);
}

void InFlight::feed(const Payload& what) {
  if (const auto* started = std::get_if<faults::CallStarted>(&what)) {
    const auto edge = edges_.find(started->edge);
    if (edge != edges_.end() && edge->second.control) return;
    if (is_infrastructure(started->method)) return;
    const bool forwarded = started->times.forwarded.has_value();
    live_[{started->connection, started->stream}] = {started->edge, started->method, forwarded};
    if (forwarded) ++forwarded_[started->edge];
  } else if (const auto* moved = std::get_if<faults::Forwarded>(&what)) {
    const Key key{moved->connection, moved->stream};
    if (moved->frame == faults::FrameKind::call_ended) over(key);
    if (moved->frame != faults::FrameKind::call_started) return;
    const auto found = live_.find(key);
    if (found == live_.end() || found->second.forwarded) return;
    found->second.forwarded = true;
    ++forwarded_[found->second.edge];
  } else if (const auto* ended = std::get_if<faults::CallEnded>(&what)) {
    // An answer that is still inside the relay keeps the call in flight; its Forwarded follows, or the
    // connection's end.
    const bool an_answer = ended->how == faults::Ending::trailers ||
                           ended->how == faults::Ending::reset_by_upstream ||
                           ended->how == faults::Ending::ended_by_fault;
    if (!an_answer || ended->times.forwarded) over({ended->connection, ended->stream});
  } else if (const auto* left = std::get_if<faults::CallGivenUp>(&what)) {
    over({left->connection, left->stream});  // no Forwarded follows that counts
  } else if (const auto* gone = std::get_if<faults::ConnectionEnded>(&what)) {
    auto at = live_.lower_bound({gone->connection, 0});
    while (at != live_.end() && at->first.first == gone->connection) over((at++)->first);
  }
}

uint64_t InFlight::on(const EdgeId& edge, const std::optional<std::string>& method) const {
  if (!method) {
    const auto found = forwarded_.find(edge);
    return found == forwarded_.end() ? 0 : found->second;
  }
  uint64_t count = 0;
  for (const auto& [key, call] : live_) {
    if (call.forwarded && call.edge == edge && faults::matches_pattern(*method, call.method)) ++count;
  }
  return count;
}

uint64_t InFlight::at(const ServiceId& service, const std::optional<std::string>& method) const {
  uint64_t count = 0;
  for (const auto& [id, edge] : edges_) {
    if (edge.to == service) count += on(id, method);
  }
  return count;
}

uint64_t InFlight::at_place(std::string_view place, const std::optional<std::string>& method) const {
  const EdgeId edge{std::string(place)};
  return edges_.contains(edge) ? on(edge, method) : at(ServiceId{edge.text}, method);
}

}  // namespace breakwire::history
