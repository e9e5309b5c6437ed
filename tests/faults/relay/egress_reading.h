// Times and what leaves, for the tests of the queue towards a peer.
#pragma once

#include <string>

#include "faults/relay/egress.h"

namespace breakwire::relay {

inline Instant at(Duration since_start) { return Instant(1h) + since_start; }

/// Everything that may leave at that time, with `between` its pieces; "|" for FIN, "!" for RST.
inline std::string leaving(Egress& egress, Instant now, std::string_view between = "") {
  std::string left;
  while (const auto front = egress.front(now)) {
    if (front->kind == Egress::Kind::fin) left += "|";
    if (front->kind == Egress::Kind::reset) left += "!";
    left.append(left.empty() || front->bytes.empty() ? "" : between).append(front->bytes);
    egress.consume(front->bytes.size(), now);
  }
  return left;
}

}  // namespace breakwire::relay
