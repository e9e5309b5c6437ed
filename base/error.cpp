#include "base/error.h"

#include <algorithm>
#include <cctype>

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

std::string folded(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string at(const Place& place) {
  std::string text = place.file.empty() ? "(input)" : place.file;
  if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return text;
}

// Long lines are cut to a window around the span, so that the caret stays on the screen.
constexpr size_t widest = 120;

/// The letters of UTF-8 text, one string each; bytes that fit nowhere count as part of the letter before.
std::vector<std::string> letters_of(const std::string& text) {
  std::vector<std::string> letters;
  for (const char c : text) {
    if (letters.empty() || (static_cast<unsigned char>(c) & 0xC0) != 0x80) letters.emplace_back();
    letters.back() += c == '\t' ? ' ' : c;
  }
  return letters;
}

/// The line as far as it is shown, and under it the carets; one letter is one column, a tab one blank.
struct Excerpt {
  std::string line;
  std::string carets;
};

Excerpt excerpt(const Place& where, const std::string& source_line) {
  const std::vector<std::string> letters = letters_of(source_line);
  const size_t column = std::min(where.column > 0 ? where.column - 1 : 0, letters.size());
  size_t end = column;
  for (size_t bytes = 0; end < letters.size() && bytes < where.length; ++end) bytes += letters[end].size();
  const size_t from = letters.size() > widest && column > widest / 2 ? column - widest / 2 : 0;
  const size_t to = std::min(letters.size(), from + widest);
  Excerpt shown;
  if (from > 0) shown.line += "…";
  for (size_t i = from; i < to; ++i) shown.line += letters[i];
  if (to < letters.size()) shown.line += "…";
  shown.carets = std::string(column - from + (from > 0 ? 1 : 0), ' ') +
                 std::string(std::max<size_t>(1, std::min(end, to) - std::min(column, to)), '^');
  return shown;
}

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
    const Excerpt shown = excerpt(error.where, error.source_line);
    text += margin + " |\n" + number + " | " + shown.line + "\n";
    text += margin + " | " + shown.carets;
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
  const std::string lower = folded(word);
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    if (size_t d = distance(lower, folded(candidate)); d < least) {
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
