#include "harness/watch/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace breakwire::watch {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The number that `text` begins with, up to a blank or its end.
std::optional<double> leading_number(std::string_view text) {
  text = text.substr(0, text.find_first_of(" \t"));
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return std::nan("");
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Exposition unreadable(size_t number, std::string_view line) {
  constexpr size_t most = 60;
  std::string quoted(line.substr(0, most));
  for (char& c : quoted) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';
  }
  return {.samples = {},
          .error = "line " + std::to_string(number) + " is no Prometheus text: " + quoted +
                   (line.size() > most ? "…" : "")};
}

}  // namespace

Exposition read_exposition(std::string_view text, const std::vector<history::Series>& wished) {
  Exposition read;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    std::string_view rest = line;
    const auto series = history::read_series(rest);
    if (!series) return unreadable(number, line);
    const std::string_view written = line.substr(0, line.size() - rest.size());
    rest = trimmed(rest);
    const auto value = leading_number(rest);
    if (!value) return unreadable(number, line);
    const bool asked = std::any_of(wished.begin(), wished.end(),
                                   [&](const auto& wish) { return history::selects(wish, *series); });
    if (asked && std::isfinite(*value)) read.samples.push_back({std::string(written), *value});
  }
  return read;
}

}  // namespace breakwire::watch
