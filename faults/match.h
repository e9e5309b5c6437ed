// Which connections and calls a wire fault concerns: the `match` of a timeline entry. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "faults/wire_event.h"

namespace breakwire::faults {

/// Which of the eligible calls are hit, counted per fault in order of arrival at the edge.
struct CallSelection {
  std::optional<uint64_t> first;  // the first n
  std::optional<uint64_t> nth;    // only the n-th, from 1
  std::optional<uint64_t> every;  // each n-th
  std::optional<double> percent;  // 0..100; a pure function of (seed, fault, trace, attempt), see FaultSet
  bool operator==(const CallSelection&) const = default;
};

enum class Connections { existing, fresh, all };

struct Match {
  std::optional<Direction> direction;           // transport faults: one way only
  Connections connections = Connections::all;   // transport faults: existing = open when the fault was armed
  std::optional<std::string> method;            // "pkg.Service/Method", `*` matches any run of characters
  std::map<std::string, std::string> metadata;  // name -> value pattern with `*`
  CallSelection calls;
  std::optional<unsigned>
      attempts;                     // only the first n attempts of each call (grpc-previous-rpc-attempts < n)
  std::optional<uint64_t> message;  // at the message stages: only the one with this index, from 0
  std::optional<Stage> stage;       // where the fault acts, for kinds that can act at several
  bool operator==(const Match&) const = default;
};

/// `*` matches any run of characters, everything else itself.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace breakwire::faults
