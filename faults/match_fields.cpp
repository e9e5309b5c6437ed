#include "faults/match_fields.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "faults/match.h"

namespace breakwire::faults {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  uint32_t pending = 0;
  int bits = 0;
  for (const char c : bytes) {
    pending = pending << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text.push_back(digits[pending >> (bits - 6) & 0x3f]);
  }
  if (bits > 0) text.push_back(digits[pending << (6 - bits) & 0x3f]);
  return text;
}

std::string_view without_padding(std::string_view text) {
  return text.substr(0, text.find_last_not_of('=') + 1);
}

bool value_matches(std::string_view pattern, const Field& field) {
  if (!field.name.ends_with("-bin")) return matches_pattern(pattern, field.value);
  const std::string_view value = field.value;
  const std::string text = value.starts_with('\0') ? base64(value.substr(1)) : field.value;
  return matches_pattern(without_padding(pattern), without_padding(text));
}

}  // namespace

bool fields_match(const std::map<std::string, std::string>& wanted, const Metadata& fields) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
      return field.name == want.first && value_matches(want.second, field);
    });
  });
}

}  // namespace breakwire::faults
