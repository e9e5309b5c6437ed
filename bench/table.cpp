#include "bench/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {
namespace {

/// Columns of a terminal, not bytes.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

double median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void Samples::add(const std::string& subject, double value) { values_[subject].push_back(value); }

double Samples::median_of(const std::string& subject) const { return median(values_.at(subject)); }

std::vector<double> Samples::ratios(const std::string& subject, const std::string& to) const {
  const auto& these = values_.at(subject);
  const auto& those = values_.at(to);
  std::vector<double> ratios;
  for (size_t round = 0; round < std::min(these.size(), those.size()); ++round)
    ratios.push_back(these[round] / those[round]);
  return ratios;
}

double Samples::ratio(const std::string& subject, const std::string& to) const {
  return median(ratios(subject, to));
}

std::string Samples::spread(const std::string& subject, const std::string& to) const {
  const auto all = ratios(subject, to);
  const auto [least, greatest] = std::minmax_element(all.begin(), all.end());
  return number(*least, 2) + "–" + number(*greatest, 2);
}

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], width_of(row[column]));
  }
  const auto print = [&](const std::vector<std::string>& row) {
    for (size_t column = 0; column < row.size(); ++column)
      std::printf("| %s%*s ", row[column].c_str(), static_cast<int>(widths[column] - width_of(row[column])),
                  "");
    std::printf("|\n");
  };
  print(rows.front());
  for (const auto width : widths) std::printf("|%s", std::string(width + 2, '-').c_str());
  std::printf("|\n");
  for (size_t row = 1; row < rows.size(); ++row) print(rows[row]);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace bench
