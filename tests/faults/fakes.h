// Faults made of a lambda, and calls made of literals, for the tests of the pure fault code.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "faults/fault_set.h"

namespace breakwire::faults::testing {

using Decide = std::function<WireAction(const WireEvent&, const FaultState&, Rng&)>;

class FakeFault : public WireFault {
 public:
  explicit FakeFault(Decide decide, Scope scope = Scope::anything)
      : decide_(std::move(decide)), scope_(scope) {}
  Scope scope() const override { return scope_; }
  WireAction decide(const WireEvent& event, const FaultState& state, Rng& rng) const override {
    return decide_(event, state, rng);
  }

 private:
  Decide decide_;
  Scope scope_;
};

/// A fault that answers every event of type `Event` with `action`, and everything else with Forward.
template <class Event>
Decide on(WireAction action) {
  return [action](const WireEvent& event, const FaultState&, Rng&) {
    return std::holds_alternative<Event>(event) ? action : WireAction{};
  };
}

/// A fault that answers calls at `stage` with `action`.
inline Decide at(Stage stage, WireAction action) {
  return [stage, action](const WireEvent& event, const FaultState&, Rng&) {
    const auto* reached = std::get_if<CallReached>(&event);
    return reached && reached->stage == stage ? action : WireAction{};
  };
}

inline WireFaultInstance fault(std::string id, Decide decide, Match match = {}, size_t order = 0,
                               Scope scope = Scope::anything) {
  return {.id = {std::move(id)},
          .kind = "fake",
          .match = std::move(match),
          .seed = 42,
          .order = order,
          .fault = std::make_shared<FakeFault>(std::move(decide), scope)};
}

struct CallOptions {
  uint64_t connection = 1;
  std::string method = "shop.v1.Orders/Place";
  Metadata metadata = {};
  unsigned previous_attempts = 0;
  std::string trace_id = {};
};

/// A call that can be asked about; streams are numbered by the caller.
inline CallFacts call(StreamId stream, CallOptions options = {}) {
  return {.connection = {options.connection},
          .stream = stream,
          .method = options.method,
          .metadata = options.metadata,
          .timeout = std::nullopt,
          .previous_attempts = options.previous_attempts,
          .trace_id = options.trace_id};
}

inline Ruling ask(FaultSet& set, const CallFacts& facts, Stage stage = Stage::headers, uint64_t message = 0) {
  return set.call({.stage = stage, .call = &facts, .message = message});
}

/// The name of the action, or "forward".
inline std::string said(const Ruling& ruling) { return name_of(ruling.action); }

}  // namespace breakwire::faults::testing
