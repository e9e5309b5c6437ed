// When the caller on an edge had a connection to make calls on. Pure.
#pragma once

#include <map>
#include <utility>

#include "harness/history/history.h"

namespace breakwire::checks {

/// The connections on one edge, each from its first bytes to its end. Those that were up when breakwire began
/// to stop everything count as up for ever: what ends them is breakwire's own doing.
class Connections {
 public:
  Connections(const EdgeId& edge, const history::History& history);

  bool any_at(Instant t) const;
  /// Whether calls may have failed, or waited for ever, without ever getting on the wire: an attempt to
  /// connect was refused in [from, to], a connection ended and left none, or there was none at all. That
  /// there is none before the first one of the run is no sign: many clients connect when they are first asked
  /// to call.
  bool lacked_in(Instant from, Instant to) const;

 private:
  std::map<ConnectionId, std::pair<Instant, Instant>> lives_;
  std::vector<Instant> refused_;
};

}  // namespace breakwire::checks
