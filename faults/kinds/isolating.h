// What kinds that lose packets have in common. For the .cpp files of this folder; pure.
#pragma once

#include "faults/kinds/make_kind.h"

namespace breakwire::faults {

/// For every connection it concerns, and for the SYNs of those that might come.
inline WireAction isolated(const WireEvent& event, Isolate ways) {
  const bool concerned = std::holds_alternative<Armed>(event) ||
                         std::holds_alternative<ConnectionFound>(event) ||
                         std::holds_alternative<ConnectionOffered>(event);
  if (!concerned) return Forward{};
  return ways;
}

/// FaultKind::fidelity_by_action of a kind whose packets the kernel would not let us lose.
inline std::map<std::string, std::string> fidelity_without_filter() {
  return {
      {"hold",
       "held: as `stall`, acknowledged until buffers are full, because no packets could be dropped here"}};
}

}  // namespace breakwire::faults
