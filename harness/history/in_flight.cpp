#include "harness/history/in_flight.h"

#include <algorithm>
#include <iterator>

#include "faults/match.h"
#include "harness/history/calls.h"

namespace breakwire::history {

InFlight::InFlight(const Setup& setup) {
  for (const auto& edge : setup.edges) edges_[edge.id] = {.to = edge.to, .control = edge.control};
}

void InFlight::over(Calls::iterator call) {
  if (call == live_.end()) return;
  if (call->second.forwarded) --call->second.edge->forwarded;
  live_.erase(call);
}

void InFlight::feed(const Payload& what) {
  if (const auto* started = std::get_if<faults::CallStarted>(&what)) {
    Inbound& edge = edges_[started->edge];
    if (edge.control || is_infrastructure(started->method)) return;
    const bool forwarded = started->times.forwarded.has_value();
    live_[{started->connection, started->stream}] = {&edge, started->method, forwarded};
    if (forwarded) ++edge.forwarded;
  } else if (const auto* moved = std::get_if<faults::Forwarded>(&what)) {
    const Key key{moved->connection, moved->stream};
    if (moved->frame == faults::FrameKind::call_ended) over(key);
    if (moved->frame != faults::FrameKind::call_started) return;
    const auto found = live_.find(key);
    if (found == live_.end() || found->second.forwarded) return;
    found->second.forwarded = true;
    ++found->second.edge->forwarded;
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
    for (auto call = live_.begin(); call != live_.end();) {
      const auto next = std::next(call);
      if (call->first.first == gone->connection) over(call);
      call = next;
    }
  }
}

uint64_t InFlight::on(const Inbound& edge, const std::optional<std::string>& method) const {
  if (!method) return edge.forwarded;
  return static_cast<uint64_t>(std::count_if(live_.begin(), live_.end(), [&](const auto& entry) {
    const Live& call = entry.second;
    return call.forwarded && call.edge == &edge && faults::matches_pattern(*method, call.method);
  }));
}

uint64_t InFlight::on(const EdgeId& edge, const std::optional<std::string>& method) const {
  const auto found = edges_.find(edge);
  return found == edges_.end() ? 0 : on(found->second, method);
}

uint64_t InFlight::at(const ServiceId& service, const std::optional<std::string>& method) const {
  uint64_t count = 0;
  for (const auto& [id, edge] : edges_) {
    if (edge.to == service) count += on(edge, method);
  }
  return count;
}

uint64_t InFlight::at_place(std::string_view place, const std::optional<std::string>& method) const {
  const EdgeId edge{std::string(place)};
  return edges_.contains(edge) ? on(edge, method) : at(ServiceId{edge.text}, method);
}

}  // namespace breakwire::history
