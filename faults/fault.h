// A fault: a pure decision about an event. Kinds live in faults/kinds, one file each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/rng.h"
#include "faults/action.h"
#include "faults/match.h"
#include "faults/wire_event.h"

namespace breakwire::faults {

/// What a fault may remember between questions; kept by whoever asks.
struct FaultState {
  Instant armed_at;
  uint64_t asked = 0;  // matching events so far, this one not counted
  uint64_t hits = 0;   // how often the answer was not Forward
};

/// Which events a wire fault is asked about at all, and therefore what counts as eligible for it.
enum class Scope {
  anything,     // every event: connections and calls
  connections,  // never about calls
  calls,        // never about connections or bytes
  new_calls,    // as `calls`, but only about calls whose HEADERS arrive while it is armed
  listener,     // only about being armed and cleared
};

/// Decides about traffic on an edge. Asked only about events that its Match selects.
class WireFault {
 public:
  virtual ~WireFault() = default;
  virtual Scope scope() const { return Scope::anything; }
  virtual WireAction decide(const WireEvent& event, const FaultState& state, Rng& rng) const = 0;
};

struct ProcessArmed {
  Instant at;
};
struct ProcessCleared {
  Instant at;
};
using ProcessEvent = std::variant<ProcessArmed, ProcessCleared>;

/// Decides what is done to a service's process when the fault begins and ends.
class ProcessFault {
 public:
  virtual ~ProcessFault() = default;
  virtual ProcessAction decide(const ProcessEvent& event, const FaultState& state, Rng& rng) const = 0;
};

/// What a kind's parameters became. Immutable and shared: a fault has no state of its own.
using Decision = std::variant<std::shared_ptr<const WireFault>, std::shared_ptr<const ProcessFault>>;

/// A wire fault ready to be armed on an edge.
struct WireFaultInstance {
  FaultId id;
  std::string kind;
  Match match;
  uint64_t seed = 0;
  size_t order = 0;  // its place in the timeline: faults on one edge act in this order
  std::shared_ptr<const WireFault> fault;
};

}  // namespace breakwire::faults
