#include "harness/history/series.h"

#include <algorithm>

#include "faults/match.h"

namespace breakwire::history {
namespace {

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// [a-zA-Z_:][a-zA-Z0-9_:]*; labels have no colon.
std::string_view take_name(std::string_view& text, bool colons) {
  size_t length = 0;
  while (length < text.size()) {
    const char c = text[length];
    if (!is_letter(c) && !(colons && c == ':') && !(length > 0 && is_digit(c))) break;
    ++length;
  }
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  return name;
}

/// Behind its opening quote, up to and with the closing one.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      if (text.empty()) return std::nullopt;
      c = text.front() == 'n' ? '\n' : text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  return std::nullopt;
}

std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    c == '\n' ? text += "\\n" : text += c;
  }
  return text;
}

}  // namespace

std::optional<Series> read_series(std::string_view& text) {
  Series series;
  series.name = take_name(text, true);
  if (series.name.empty()) return std::nullopt;
  std::string_view behind = text;
  skip_blanks(behind);
  if (!take(behind, '{')) return series;
  text = behind;
  for (skip_blanks(text); !take(text, '}'); skip_blanks(text)) {
    const std::string label(take_name(text, false));
    skip_blanks(text);
    if (label.empty() || !take(text, '=')) return std::nullopt;
    skip_blanks(text);
    if (!take(text, '"')) return std::nullopt;
    auto value = take_value(text);
    if (!value) return std::nullopt;
    series.labels[label] = std::move(*value);
    skip_blanks(text);
    if (!take(text, ',') && !text.starts_with('}')) return std::nullopt;
  }
  return series;
}

bool selects(const Series& wished, const Series& series) {
  return wished.name == series.name &&
         std::all_of(wished.labels.begin(), wished.labels.end(), [&](const auto& label) {
           const auto found = series.labels.find(label.first);
           return found != series.labels.end() && faults::matches_pattern(label.second, found->second);
         });
}

std::string to_text(const Series& series) {
  std::string text;
  for (const auto& [label, value] : series.labels)
    text += (text.empty() ? "{" : ",") + label + "=\"" + escaped(value) + "\"";
  return series.name + (text.empty() ? "" : text + "}");
}

}  // namespace breakwire::history
