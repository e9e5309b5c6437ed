#include "services/kit/durations.h"

#include <charconv>

namespace breakwire::kit {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  long long value = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || value < 0 || value > 86'400'000) return std::nullopt;
  std::string_view unit(rest, static_cast<size_t>(end - rest));
  std::chrono::milliseconds result{0};
  if (unit == "ms") {
    result = std::chrono::milliseconds(value);
  } else if (unit == "s") {
    result = std::chrono::seconds(value);
  } else if (unit == "m") {
    result = std::chrono::minutes(value);
  } else {
    return std::nullopt;
  }
  if (result > std::chrono::hours(24)) return std::nullopt;
  return result;
}

}  // namespace breakwire::kit
