#include "harness/checks/connections.h"

#include <algorithm>

namespace breakwire::checks {

Connections::Connections(const EdgeId& edge, const history::History& history) {
  history::each<faults::ProtocolDetected>(history, [&](const auto&, const auto& seen) {
    if (seen.edge == edge) lives_[seen.connection] = {seen.at, Instant::max()};
  });
  Instant torn_down = Instant::max();
  history::each<history::PhaseBegan>(history, [&](const auto& event, const auto& began) {
    if (began.phase == history::Phase::teardown) torn_down = std::min(torn_down, event.at);
  });
  history::each<faults::ConnectionEnded>(history, [&](const auto&, const auto& ended) {
    const auto found = lives_.find(ended.connection);
    if (found != lives_.end() && ended.at < torn_down) found->second.second = ended.at;
  });
  history::each<faults::UpstreamRefused>(history, [&](const auto&, const auto& refused) {
    if (refused.edge == edge) refused_.push_back(refused.at);
  });
}

bool Connections::any_at(Instant t) const {
  return std::any_of(lives_.begin(), lives_.end(),
                     [&](const auto& life) { return life.second.first <= t && t < life.second.second; });
}

bool Connections::lacked_in(Instant from, Instant to) const {
  const auto inside = [&](Instant t) { return from <= t && t <= to; };
  if (std::any_of(refused_.begin(), refused_.end(), inside)) return true;
  bool any = false, before = false;
  for (const auto& [connection, life] : lives_) {
    if (inside(life.second) && !any_at(life.second)) return true;
    any = any || (life.first <= to && from < life.second);
    before = before || life.first < from;
  }
  return !any || (before && !any_at(from));
}

}  // namespace breakwire::checks
