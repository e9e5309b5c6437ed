// What metadata in a file may be, for every kind that puts some on the wire. Pure.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "faults/metadata.h"

namespace breakwire::faults::kinds {

/// Adds an error at the key unless it is one that HTTP/2 can carry: lower case (RFC 9113 §8.2), no
/// pseudo-field (§8.3), none that speaks of a connection (§8.2.2).
bool check_key(const std::string& key, const json::Span& at, ErrorList& errors);

/// That, and an error at a value that is not printable ASCII or, under a key in `-bin`, not base64, padded or
/// not (grpc/grpc doc/PROTOCOL-HTTP2.md, Custom-Metadata).
bool check_field(const json::Member& written, ErrorList& errors);

Metadata metadata_of(const std::map<std::string, std::string>& written);

}  // namespace breakwire::faults::kinds
