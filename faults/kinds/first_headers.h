// Which frames begin a call, one in each direction. Pure.
#pragma once

#include "faults/wire_event.h"

namespace breakwire::faults::kinds {

/// The call that the event is about, if it is at its request's HEADERS or at those of its response; else
/// null.
inline const CallReached* at_first_headers(const WireEvent& event) {
  const auto* reached = std::get_if<CallReached>(&event);
  const bool here =
      reached && (reached->stage == Stage::headers || reached->stage == Stage::response_headers);
  return here ? reached : nullptr;
}

}  // namespace breakwire::faults::kinds
