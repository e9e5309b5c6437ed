// Which ways of a connection are paths without packets, and by which faults. Pure.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "faults/action.h"
#include "faults/wire_event.h"

namespace breakwire::relay {

/// A way stays dead until the last fault that wants it so is cleared.
class Isolation {
 public:
  void add(const FaultId& fault, const faults::Isolate& ways) { wanted_.emplace_back(fault, ways); }
  /// Answers whether the fault had wanted anything.
  bool remove(const FaultId& fault) {
    return std::erase_if(wanted_, [&](const auto& one) { return one.first == fault; }) > 0;
  }
  bool stops(faults::Direction way) const {
    return std::any_of(wanted_.begin(), wanted_.end(), [&](const auto& one) {
      return way == faults::Direction::request ? one.second.request : one.second.response;
    });
  }

 private:
  std::vector<std::pair<FaultId, faults::Isolate>> wanted_;
};

}  // namespace breakwire::relay
