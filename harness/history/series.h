// A Prometheus series by name and labels, as the text exposition format writes it. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace breakwire::history {

/// `x_total{code="OK",method="Get"}`: the name, and each label's value with its escapes undone.
struct Series {
  std::string name;
  std::map<std::string, std::string> labels;
  bool operator==(const Series&) const = default;
};

/// Reads the series that `text` begins with and moves `text` behind it. Without braces it has no labels.
/// nullopt when it begins with none; `text` is then anywhere.
std::optional<Series> read_series(std::string_view& text);

/// Whether `series` has the wished name, and every wished label with the wished value (`*` in it matches any
/// run of characters). Labels nobody wished for do not matter.
bool selects(const Series& wished, const Series& series);

/// `x_total{code="OK"}`; without labels no braces.
std::string to_text(const Series& series);

}  // namespace breakwire::history
