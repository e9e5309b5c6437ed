// Strong ids: a service's name is not an edge's name, a connection's number is not a stream's. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace breakwire {

template <class Tag>
struct NameId {
  std::string text;
  auto operator<=>(const NameId&) const = default;
  bool operator==(const NameId&) const = default;
  bool empty() const { return text.empty(); }
};

template <class Tag>
struct NumberId {
  uint64_t value = 0;
  auto operator<=>(const NumberId&) const = default;
  bool operator==(const NumberId&) const = default;
};

using ServiceId = NameId<struct ServiceTag>;
using EdgeId = NameId<struct EdgeTag>;    // "orders->inventory"
using FaultId = NameId<struct FaultTag>;  // the id of a timeline entry
using LoadId = NameId<struct LoadTag>;

/// One accepted connection of an edge and the connection dialled for it; unique within a run, from 1.
using ConnectionId = NumberId<struct ConnectionTag>;
/// Position of an event in the history, from 1.
using EventNumber = NumberId<struct EventTag>;

/// An HTTP/2 stream id as the downstream peer numbers it (RFC 9113 §5.1.1).
using StreamId = uint32_t;

}  // namespace breakwire

template <class Tag>
struct std::hash<breakwire::NameId<Tag>> {
  size_t operator()(const breakwire::NameId<Tag>& id) const { return std::hash<std::string>{}(id.text); }
};
template <class Tag>
struct std::hash<breakwire::NumberId<Tag>> {
  size_t operator()(const breakwire::NumberId<Tag>& id) const { return std::hash<uint64_t>{}(id.value); }
};
