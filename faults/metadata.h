// A field list as HTTP/2 carries it: ordered, with duplicates. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwire::faults {

/// One field of a field section (RFC 9113 §8.2); names are lower case. `-bin` values are kept as they came:
/// base64 or, where 0xFE03 was announced, raw bytes (gRFC G1).
struct Field {
  std::string name;
  std::string value;
  bool never_indexed = false;  // RFC 7541 §6.2.3: must stay so on the way
  bool operator==(const Field&) const = default;
};

using Metadata = std::vector<Field>;

/// The first value under `name`, if any.
inline std::optional<std::string_view> value_of(const Metadata& metadata, std::string_view name) {
  for (const auto& field : metadata) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

}  // namespace breakwire::faults
