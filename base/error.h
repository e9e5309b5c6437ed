// What is wrong with a user's file or flags: what, where, and the next move. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace breakwire {

/// A span of text in a file; lines and columns count from 1 and columns in letters (code points); `offset`
/// (from 0) and `length` are in bytes.
struct Place {
  std::string file;
  size_t line = 0;  // 0: the whole file, or no file at all
  size_t column = 0;
  size_t offset = 0;
  size_t length = 1;
  bool operator==(const Place&) const = default;
};

struct Error {
  std::string what;  // a sentence: "unknown fault `latncy`"
  Place where;
  std::string hint;         // the next move: "did you mean `latency`?"
  std::string source_line;  // the line of the file, for the caret
  std::vector<Place> also;  // further places that take part, such as the key that is overridden
  bool operator==(const Error&) const = default;
};

/// All that is wrong, never only the first.
using ErrorList = std::vector<Error>;

/// The text a person reads: the sentence, file:line:column, the line and a caret under the span with the
/// hint.
std::string render(const Error& error);
std::string render(const ErrorList& errors);

/// The candidate closest to `word`, if one is close enough to be a slip of the finger; else empty. Upper and
/// lower case count as the same.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean `x`?", or the list of what is known when nothing is close.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace breakwire
