// Durations as the project's files write them: text with a unit. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace breakwire {

/// Every span of time in the model, in nanoseconds.
using Duration = std::chrono::nanoseconds;

/// A point on the run's one monotonic clock (CLOCK_MONOTONIC). Pure code is handed these and never asks for
/// "now".
using Instant = std::chrono::steady_clock::time_point;

using namespace std::chrono_literals;

/// Reads "250ms", "1.5s", "2m", "1h", "100us", "50ns": a non-negative decimal number and a unit, nothing
/// between. Nothing else is a duration; in particular a bare number is not.
std::optional<Duration> parse_duration(std::string_view text);

/// The shortest exact text that `parse_duration` reads back: "250ms", "1.5s", "0s".
std::string to_text(Duration duration);

/// Milliseconds as a number, for reports whose keys end in `_ms`.
double to_ms(Duration duration);

}  // namespace breakwire
