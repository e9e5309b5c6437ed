// Which calls of a service led to calls further on, and which it answered alone. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/checks/check.h"

namespace breakwire::checks {

/// A call at a service, on one of its inbound edges.
struct Offered {
  const history::Attempt* call = nullptr;
  bool passed_on = false;  // an attempt on the edge began for it
};

/// The calls at `on`'s caller that need `on`, in the order they began.
struct Offers {
  std::vector<Offered> calls;
  std::vector<EdgeId> inbound;     // where they came in
  std::vector<std::string> needs;  // the methods concerned
  std::string unclear;             // why nothing can be said; else empty
};

/// A call and what was done for it share a trace id, and the second begins while the first lasts. Concerned
/// are the calls of `method`; left out: of every method of which some call of the run was passed on. Calls
/// without a trace id are left out, and those that the relay answered or kept: they never came.
Offers offers_for(const EdgeId& on, const std::optional<std::string>& method, const Question& question);

}  // namespace breakwire::checks
