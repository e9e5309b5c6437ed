// How many calls a place has in flight, kept up to date event by event. Pure; the runner asks it live.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

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
  struct Live {
    EdgeId edge;
    std::string method;
    bool forwarded = false;
  };
  struct Inbound {
    ServiceId to;
    bool control = false;
  };
  void over(const Key& key);

  std::map<EdgeId, Inbound> edges_;
  std::map<Key, Live> live_;
  std::map<EdgeId, uint64_t> forwarded_;  // the same, counted, so that the usual question is cheap
};

}  // namespace breakwire::history
