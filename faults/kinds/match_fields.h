// `match` in a file: its described fields, and which kind may use which of them. Pure.
#pragma once

#include <optional>
#include <vector>

#include "faults/kinds/kind.h"

namespace breakwire::faults {

/// What a kind matches when its `match` is left out: its default stage and connections.
Match default_match(const FaultKind& kind);

/// Reads `match` (an empty object when it is left out). A key that the kind cannot match by is an error at
/// the key's place that names what it can. nullopt when there were errors.
std::optional<Match> read_match(const FaultKind& kind, const json::Value& match, ErrorList& errors);

/// A kind of Lifetime::optional_span without `for` acts at one moment: that `match` wants new connections
/// only is an error at `match` then. Answers whether there was none.
bool fits_without_length(const FaultKind& kind, const Match& match, const json::Value& written,
                         ErrorList& errors);

/// The schema of `match` for one kind.
json::Value match_schema(const FaultKind& kind);
/// What `explain` says of `match`, for one kind and for a whole class.
std::vector<FieldInfo> match_fields(const FaultKind& kind);
std::vector<FieldInfo> match_fields(FaultClass fault_class);

}  // namespace breakwire::faults
