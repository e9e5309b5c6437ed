// How many calls a place has in flight, kept up to date event by event. Pure; the runner asks it live.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "harness/history/event.h"
#include "harness/history/setup.h"

namespace breakwire::history {

/// A call is in flight from the moment its HEADERS were forwarded to the callee until its final frame was
/// forwarded back to the caller. It also ends when the caller resets it, and with its connection. Health and
/// reflection calls, and breakwire's own edges, never count. A call whose HEADERS a fault holds is not in
/// flight: its callee does not know of it.
class InFlight {
 public:
  explicit InFlight(const Setup& setup);
  InFlight(InFlight&&) = default;  // never copied: calls know their edge by its address

  /// Takes what happened next. Events it has no use for cost nothing.
  void feed(const Payload& what);

  /// On one edge; `method` is a pattern with `*`, nullopt: all.
  uint64_t on(const EdgeId& edge, const std::optional<std::string>& method = {}) const;
  /// At one service: the sum over its inbound edges.
  uint64_t at(const ServiceId& service, const std::optional<std::string>& method = {}) const;
  /// At a place as a scenario names it: an edge, or else a service.
  uint64_t at_place(std::string_view place, const std::optional<std::string>& method = {}) const;

 private:
  using Key = std::pair<ConnectionId, StreamId>;
  struct Inbound {
    ServiceId to;
    bool control = false;
    uint64_t forwarded = 0;  // calls in flight, so that the usual question is cheap
  };
  struct Live {
    Inbound* edge = nullptr;
    std::string method;
    bool forwarded = false;
  };
  struct Hash {
    size_t operator()(const Key& key) const { return key.first.value * 0x9e3779b97f4a7c15u + key.second; }
  };
  using Calls = std::unordered_map<Key, Live, Hash>;
  void over(Calls::iterator call);
  void over(const Key& key) { over(live_.find(key)); }
  uint64_t on(const Inbound& edge, const std::optional<std::string>& method) const;

  std::map<EdgeId, Inbound> edges_;
  Calls live_;
};

}  // namespace breakwire::history
