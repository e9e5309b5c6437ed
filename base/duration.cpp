#include "base/duration.h"

#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>

namespace breakwire {
namespace {

struct Unit {
  std::string_view name;
  int64_t ns;
};

// Longest first, so that "ms" is never read as "m" and a stray "s".
constexpr std::array<Unit, 6> units{{{"ns", 1},
                                     {"us", 1'000},
                                     {"ms", 1'000'000},
                                     {"s", 1'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"h", 3'600'000'000'000}}};

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  size_t i = 0;
  int64_t whole = 0;
  constexpr int64_t most = INT64_MAX / 2;
  const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  if (!digit(0)) return std::nullopt;
  for (; digit(i); ++i) {
    if (whole > most / 10) return std::nullopt;
    whole = whole * 10 + (text[i] - '0');
  }
  double fraction = 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digit(i)) return std::nullopt;
    for (double scale = 0.1; digit(i); ++i, scale /= 10) fraction += scale * (text[i] - '0');
  }
  const std::string_view unit_name = text.substr(i);
  for (const auto& unit : units) {
    if (unit.name != unit_name) continue;
    if (whole > most / unit.ns) return std::nullopt;
    return Duration{whole * unit.ns + std::llround(fraction * static_cast<double>(unit.ns))};
  }
  return std::nullopt;
}

std::string to_text(Duration duration) {
  int64_t ns = duration.count();
  if (ns == 0) return "0s";
  const std::string sign = ns < 0 ? "-" : "";
  if (ns < 0) ns = -ns;
  // The largest unit in which at most three decimals are needed; minutes and hours only when whole.
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (unit->ns > 1'000'000'000) {
      if (ns % unit->ns == 0) return sign + std::to_string(ns / unit->ns) + std::string(unit->name);
      continue;
    }
    if (ns < unit->ns) continue;
    const int64_t thousandth = unit->ns / 1000;
    if (thousandth > 0 && ns % thousandth != 0) continue;
    std::string text = sign + std::to_string(ns / unit->ns);
    if (int64_t rest = ns % unit->ns; rest != 0) {
      std::string decimals = std::to_string(rest / thousandth);
      decimals.insert(0, 3 - decimals.size(), '0');
      while (decimals.back() == '0') decimals.pop_back();
      text += "." + decimals;
    }
    return text + std::string(unit->name);
  }
  return sign + std::to_string(ns) + "ns";
}

double to_ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

}  // namespace breakwire
