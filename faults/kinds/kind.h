// What a fault kind says of itself: parameters, class, documentation. Pure.
//
// A kind is one file in this folder: a described struct with `decide`, and a line in registry.cpp.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/described.h"
#include "faults/fault.h"

namespace breakwire::faults {

enum class FaultClass {
  transport,  // on an edge; matches by direction and connections only
  call,       // on an edge that speaks gRPC; matches by method, metadata, calls, attempts, message, stage
  process,    // on a service
};

/// How long a fault of this kind lasts.
enum class Lifetime {
  span,           // `for`, or to the end of the run
  instant,        // takes no `for`: armed and cleared at once
  optional_span,  // instant when `for` is left out, else as long as it says (docs/decisions/0002)
  down,           // the length is its own parameter `down`
};

/// A timeline entry whose parts were read without errors, for what can be wrong with several of them
/// together.
struct EntryParts {
  const json::Value& with;           // as written; an empty object when it is left out
  const json::Value& written_match;  // likewise
  const Match& match;
  std::optional<Duration> length;  // its `for`
};

struct FaultKind {
  std::string name;
  std::string summary;  // one sentence
  std::string details;  // what is on the wire, what peers see, what happens when it ends, with sources
  std::string example;  // one timeline entry, valid JSON
  FaultClass fault_class = FaultClass::transport;
  Lifetime lifetime = Lifetime::span;
  /// Call faults: where `match.stage` may put it; the first is the default. Empty: the kind itself knows
  /// where it acts, and `stage` is no key of its `match`.
  std::vector<Stage> stages;
  Connections connections = Connections::all;  // transport faults: `match.connections` when it is left out
  std::vector<std::string> matches_by;         // the keys its `match` may have; see match_fields.h
  std::string fidelity;  // "wire" when it is the real thing; else how it differs from it
  /// Where that depends on the machine: how the real thing is missed when the relay had to do this other
  /// action (its name) in place of the kind's own. A run tells which it was.
  std::map<std::string, std::string> fidelity_by_action;
  std::vector<FieldInfo> parameters;
  json::Value schema;  // of `with`

  /// Reads `with` (an empty object when it is left out). nullopt when there were errors.
  std::function<std::optional<Decision>(const json::Value& with, ErrorList& errors)> make;
  /// Adds the errors that are in no part of the entry alone. Empty: there can be none.
  std::function<void(const EntryParts& entry, ErrorList& errors)> check;
  /// For Lifetime::down: the length that `with` gives.
  std::function<Duration(const json::Value& with)> down;
};

/// Every kind, in the order of the documentation.
const std::vector<FaultKind>& fault_kinds();
/// nullptr when there is none of that name.
const FaultKind* find_fault_kind(std::string_view name);
std::vector<std::string> fault_kind_names();

}  // namespace breakwire::faults
