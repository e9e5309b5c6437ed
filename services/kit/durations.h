#pragma once
// Durations as flags spell them: "150ms", "5s". Pure.

#include <chrono>
#include <optional>
#include <string_view>

namespace breakwire::kit {

/// "150ms", "5s" or "2m"; nothing for anything else, a bare number or a value beyond a day included.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace breakwire::kit
