// What EditFields makes of a field list. Pure.
#pragma once

#include "faults/action.h"
#include "faults/metadata.h"

namespace breakwire::faults {

/// Carries the edit out on `fields`; answers whether anything changed. What stays keeps its order, its
/// duplicates and its never-indexed mark (RFC 7541 §6.2.3), which a new value inherits from the one it
/// replaces. A field that is set stands where the first of its name stood, or at the end. Pseudo-fields
/// (RFC 9113 §8.3) are left alone whatever the edit says, for without them the message is malformed.
bool edit_fields(const EditFields& edit, Metadata& fields);

}  // namespace breakwire::faults
