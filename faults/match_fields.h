// Does a call's metadata match what a fault wants of it? Pure.
#pragma once

#include <map>
#include <string>

#include "faults/metadata.h"

namespace breakwire::faults {

/// Every name in `wanted` has a field whose value matches its pattern (`matches_pattern`). Under keys in
/// `-bin`, patterns are about the base64 form, padded or not, also where the value travels as it is, behind a
/// zero byte (gRFC G1).
bool fields_match(const std::map<std::string, std::string>& wanted, const Metadata& fields);

}  // namespace breakwire::faults
