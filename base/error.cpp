#include "base/error.h"

#include <algorithm>

namespace breakwire {
namespace {

// Optimal string alignment distance: a swap of neighbours counts as one slip.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string at(const Place& place) {
  std::string text = place.file.empty() ? "(input)" : place.file;
  if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return text;
}

// Long lines are cut to a window around the span, so that the caret stays on the screen.
constexpr size_t widest = 120;

}  // namespace

std::string render(const Error& error) {
  std::string text = "error: " + error.what + "\n";
  if (error.where.file.empty() && error.where.line == 0) {
    if (!error.hint.empty()) text += "  " + error.hint + "\n";
    return text;
  }
  const std::string number = error.where.line > 0 ? std::to_string(error.where.line) : "";
  const std::string margin(number.size(), ' ');
  text += margin + "--> " + at(error.where) + "\n";
  if (error.where.line > 0 && !error.source_line.empty()) {
    std::string line = error.source_line;
    size_t column = error.where.column > 0 ? error.where.column - 1 : 0;
    if (line.size() > widest && column > widest / 2) {
      const size_t cut = column - widest / 2;
      line = "…" + line.substr(cut);
      column = column - cut + 1;
    }
    // Counted in columns on the screen: UTF-8 continuation bytes take none; tabs are shown as one blank.
    std::replace(line.begin(), line.end(), '\t', ' ');
    if (line.size() > widest) line = line.substr(0, widest) + "…";
    const size_t length =
        std::max<size_t>(1, std::min(error.where.length, line.size() > column ? line.size() - column : 1));
    text += margin + " |\n" + number + " | " + line + "\n";
    text += margin + " | " + std::string(column, ' ') + std::string(length, '^');
    if (!error.hint.empty()) text += " " + error.hint;
    text += "\n";
  } else if (!error.hint.empty()) {
    text += margin + " = " + error.hint + "\n";
  }
  for (const auto& place : error.also) text += margin + " = see also " + at(place) + "\n";
  return text;
}

std::string render(const ErrorList& errors) {
  std::string text;
  for (const auto& error : errors) text += render(error);
  return text;
}

std::string closest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    if (size_t d = distance(word, candidate); d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  if (std::string best = closest(word, candidates); !best.empty()) return "did you mean `" + best + "`?";
  if (candidates.empty()) return "";
  std::string text = "known here: ";
  for (size_t i = 0; i < candidates.size(); ++i) text += (i ? ", " : "") + candidates[i];
  return text;
}

}  // namespace breakwire
