// Samples by subject and round, and what is said of them: medians, and ratios to one subject round by round.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bench {

double median(std::vector<double> values);
double quantile(std::vector<double> values, double share);

/// One quantity, measured for several subjects in the same rounds.
class Samples {
 public:
  void add(const std::string& subject, double value);
  bool has(const std::string& subject) const { return values_.contains(subject); }
  double median_of(const std::string& subject) const;
  /// The median of the rounds' own ratios: what makes a whole round slow cancels out.
  double ratio(const std::string& subject, const std::string& to) const;
  /// The least and the greatest of those ratios, as text: "1.02–1.11".
  std::string spread(const std::string& subject, const std::string& to) const;

 private:
  std::vector<double> ratios(const std::string& subject, const std::string& to) const;

  std::map<std::string, std::vector<double>> values_;
};

/// Prints rows of a Markdown table; the first is the head.
void print_table(const std::vector<std::vector<std::string>>& rows);
std::string number(double value, int decimals);

}  // namespace bench
