// JSON that remembers where in which file each value stood, for errors with a caret. Pure.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/result.h"

namespace breakwire::json {

/// A file's name and text, shared by all values read from it.
struct Source {
  std::string file;
  std::string text;
};

/// Bytes [begin, end) of a source; no source for values made in code.
struct Span {
  std::shared_ptr<const Source> source;
  size_t begin = 0;
  size_t end = 0;
};

Place place_of(const Span& span);
/// An error at a span, with its line for the caret.
Error error_at(const Span& span, std::string what, std::string hint = {});

enum class Kind { null, boolean, number, string, array, object };
std::string_view to_text(Kind kind);  // "a string", "an object", … for sentences

struct Member;

/// A JSON value. Objects keep the order of their members.
struct Value {
  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string text;  // of a string; of a number its literal
  std::vector<Value> items;
  std::vector<Member> members;
  Span span;

  Value() = default;
  Value(std::string string);
  Value(std::string_view string);
  Value(const char* string);
  Value(bool value);
  Value(double value);
  Value(int value);
  Value(int64_t value);
  Value(uint64_t value);

  /// The member's value, or nullptr.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Replaces or appends a member; returns *this for chaining.
  Value& set(std::string_view key, Value value);
  Value& push(Value value);
  bool is(Kind k) const { return kind == k; }
};

struct Member {
  std::string key;
  Span key_span;
  Value value;
};

Value object(std::initializer_list<std::pair<std::string_view, Value>> members = {});
Value array(std::vector<Value> items = {});
Value strings(const std::vector<std::string>& items);

/// Reads JSON with `//` and `/* */` comments. Errors: the first of syntax, else every duplicate key.
Result<Value> parse(std::string text, std::string file);
/// The same for who wants to go on in spite of duplicate keys: errors are added to `errors`, of duplicates the
/// tree keeps both members (`find` answers the first); nullopt only when the text is not JSON at all.
std::optional<Value> parse(std::string text, std::string file, ErrorList& errors);

/// Pretty text with two blanks of indentation; short arrays and objects of scalars stay on one line.
std::string write(const Value& value);
/// One line, for NDJSON and scenario excerpts.
std::string write_line(const Value& value);

}  // namespace breakwire::json
