#include "faults/kinds/metadata_rules.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace breakwire::faults::kinds {
namespace {

constexpr std::array<std::string_view, 5> of_connections{"connection", "keep-alive", "proxy-connection",
                                                         "transfer-encoding", "upgrade"};

bool is_key(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_printable(const std::string& value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c <= 0x7e; });
}

/// One value, or several joined by commas.
bool is_base64(std::string_view text) {
  while (true) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const size_t digits = std::min(part.find('='), part.size());
    const bool known =
        std::all_of(part.begin(), part.begin() + static_cast<ptrdiff_t>(digits), [](unsigned char c) {
          return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
                 c == '/';
        });
    const std::string_view padding = part.substr(digits);
    const bool padded = padding.size() <= 2 && padding.find_first_not_of('=') == std::string_view::npos &&
                        (padding.empty() || part.size() % 4 == 0);
    if (!known || !padded || digits % 4 == 1) return false;
    if (comma == text.size()) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

bool check_key(const std::string& key, const json::Span& at, ErrorList& errors) {
  if (std::find(of_connections.begin(), of_connections.end(), key) != of_connections.end()) {
    errors.push_back(json::error_at(at, "`" + key + "` speaks of a connection, which HTTP/2 does not allow",
                                    "remove it (RFC 9113 §8.2.2)"));
    return false;
  }
  if (is_key(key)) return true;
  errors.push_back(json::error_at(at, "`" + key + "` is not a metadata key",
                                  "keys are of a-z, 0-9, `_`, `-` and `.`, in lower case"));
  return false;
}

bool check_field(const json::Member& written, ErrorList& errors) {
  if (!check_key(written.key, written.key_span, errors)) return false;
  const std::string& value = written.value.text;
  if (!is_printable(value)) {
    errors.push_back(json::error_at(written.value.span, "metadata values are printable ASCII",
                                    "use a key that ends in `-bin` with a base64 value"));
    return false;
  }
  if (written.key.ends_with("-bin") && !is_base64(value)) {
    errors.push_back(json::error_at(written.value.span, "values of keys in `-bin` are base64",
                                    "write the bytes in base64: \"AAEC\" is 00 01 02"));
    return false;
  }
  return true;
}

Metadata metadata_of(const std::map<std::string, std::string>& written) {
  Metadata fields;
  for (const auto& [name, value] : written) fields.push_back({.name = name, .value = value});
  return fields;
}

}  // namespace breakwire::faults::kinds
