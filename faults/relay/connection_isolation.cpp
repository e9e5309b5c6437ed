// What a path without packets does to a connection: the peers' sockets are made deaf, and nothing is written
// (connection_traffic.cpp) to who is cut off.
#include "faults/relay/connection.h"

namespace breakwire::relay {

/// Where packets could not be made to vanish, what comes is held, and that is what is told.
void Connection::isolate(const FaultId& fault, const faults::Isolate& ways) {
  isolation_.add(fault, ways);
  if (apply_isolation()) {
    tell_hit(fault, ways);
  } else {
    tell_hit(fault, faults::Hold{});
  }
}

/// Brings both sockets to what the faults in force want. Answers whether every packet that is to be lost is.
/// A Unix stream has none to lose, which counts only where there is no other.
bool Connection::apply_isolation() {
  bool packets = false;
  bool all_lost = true;
  for (const auto side : both_sides) {
    auto& peer = at(side).peer;
    const bool wanted = cut_off(other(side));  // what this side sends travels to the other
    const bool lost = peer.make_deaf(wanted);
    if (!wanted) continue;
    const bool tcp = side == Side::downstream || edge_.upstream.front().protocol().family() != AF_UNIX;
    packets = packets || tcp;
    all_lost = all_lost && (!tcp || (peer.is_open() ? lost : edge_.plane.filters.effective()));
  }
  return packets && all_lost;
}

}  // namespace breakwire::relay
