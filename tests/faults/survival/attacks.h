// What a hostile peer does to the relay, as bytes, from either side of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "faults/http2/session.h"

namespace breakwire::relay::testing {

struct Attack {
  std::string name;
  http2::Side by = http2::Side::downstream;
  /// What makes the bytes that follow possible: preface, SETTINGS, a request; empty where they come first.
  std::string opening;
  /// So much of what the other side says comes before the first piece.
  size_t hears_first = 0;
  /// The `n`-th piece of what is sent then, from 0; empty: nothing more comes, and the attacker waits.
  std::function<std::string(size_t n)> piece;

  enum class End {
    limit,      // LimitReached, `what` is the option
    violation,  // ProtocolViolation
    passes,     // the relay has nothing to say about it: it is the other peer's to judge
  };
  End end = End::limit;
  std::string what;
};

/// All of them. Those of a server take for granted that the client has opened stream 1.
const std::vector<Attack>& attacks();

/// A client's preface, SETTINGS and a request on stream 1 that has not ended.
std::string client_opening();

}  // namespace breakwire::relay::testing
