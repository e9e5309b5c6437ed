#include "faults/kinds/byte_rate.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace breakwire::faults {
namespace {

constexpr double piece_seconds = 1e-3;

struct Unit {
  const char* name;
  double bytes;
};
constexpr Unit units[] = {{"B/s", 1},          {"kB/s", 1e3},       {"MB/s", 1e6},         {"GB/s", 1e9},
                          {"KiB/s", 1024},     {"MiB/s", 1048576},  {"GiB/s", 1073741824}, {"bit/s", 1.0 / 8},
                          {"kbit/s", 1e3 / 8}, {"Mbit/s", 1e6 / 8}, {"Gbit/s", 1e9 / 8}};

std::optional<double> parse(const std::string& text) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number) || number <= 0) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(text.data() + text.size() - rest));
  const auto unit =
      std::find_if(std::begin(units), std::end(units), [&](const Unit& one) { return one.name == name; });
  if (unit == std::end(units)) return std::nullopt;
  return number * unit->bytes;
}

}  // namespace

Pace pace_of(const ByteRate& rate) {
  const auto bytes = static_cast<size_t>(std::max(1.0, std::floor(rate.per_second * piece_seconds)));
  return {.bytes = bytes,
          .gap = Duration{std::llround(1e9 * static_cast<double>(bytes) / rate.per_second)},
          .keeps_rate = true};
}

}  // namespace breakwire::faults

namespace breakwire {

bool Codec<faults::ByteRate>::read(const json::Value& value, faults::ByteRate& out, ErrorList& errors) {
  const char* hint = "byte rates are text with a unit: \"100kB/s\", \"1.5MiB/s\", \"8Mbit/s\"";
  if (value.kind == json::Kind::number) {
    errors.push_back(json::error_at(value.span, "a bare number is not a byte rate", hint));
    return false;
  }
  if (value.kind != json::Kind::string) return described::wrong_kind(value, "a byte rate", errors);
  const auto rate = faults::parse(value.text);
  // Slower than a byte an hour is no rate that a run would live to see.
  if (!rate || *rate < 1.0 / 3600 || *rate > 1e12) {
    errors.push_back(json::error_at(value.span, "`" + value.text + "` is not a byte rate", hint));
    return false;
  }
  out.per_second = *rate;
  return true;
}
json::Value Codec<faults::ByteRate>::schema() {
  return json::object(
      {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+)?((k|M|G|Ki|Mi|Gi)?B|(k|M|G)?bit)/s$|\\$\\{"}});
}
std::string Codec<faults::ByteRate>::type() { return "byte rate"; }
std::string Codec<faults::ByteRate>::show(const faults::ByteRate& value) {
  return json::Value(value.per_second).text + "B/s";
}

}  // namespace breakwire
