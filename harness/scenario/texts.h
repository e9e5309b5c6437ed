// The small texts of a scenario file: names with their place, methods, ports, addresses. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/described.h"
#include "faults/kinds/names.h"
#include "harness/scenario/scenario.h"

namespace breakwire::scenario {

/// A name that refers to something else in the file, with its place for the error when there is no such
/// thing.
struct Name {
  std::string text;
  json::Span span;
};

/// A name that is given here: letters, digits, `_` and `-`, beginning with a letter or digit.
struct Id {
  std::string text;
  json::Span span;
};
bool is_id(std::string_view text);

/// "pkg.Service/Method", without a leading slash.
struct MethodName {
  std::string text;
};
/// The same with `*` for any run of characters.
struct MethodPattern {
  std::string text;
};

/// A port by number, or "any": one that is free.
struct PortChoice {
  std::optional<uint16_t> number;
  json::Span span;
};

/// "host:port", "[::1]:port".
struct HostPort {
  std::string host;
  uint16_t port = 0;
  json::Span span;
};

/// A path; relative ones count from the folder of the file they stand in.
struct FilePath {
  std::string text;
  json::Span span;
};
/// The path from where the scenario file's own path counts; absolute paths and those that begin with a
/// placeholder are kept.
std::string resolved(const FilePath& path);

/// Text that says why; never empty.
struct Reason {
  std::string text;
};

/// A span of time that is longer than nothing.
struct Length {
  Duration time{};
};
/// A whole number from 1 to 1000000000.
struct Count {
  uint64_t value = 1;
};

}  // namespace breakwire::scenario

namespace breakwire {

#define BREAKWIRE_TEXT(T)                                                  \
  template <>                                                              \
  struct Codec<T> {                                                        \
    static bool read(const json::Value& value, T& out, ErrorList& errors); \
    static json::Value schema();                                           \
    static std::string type();                                             \
    static std::string show(const T& value);                               \
  }
BREAKWIRE_TEXT(scenario::Name);
BREAKWIRE_TEXT(scenario::Id);
BREAKWIRE_TEXT(scenario::MethodName);
BREAKWIRE_TEXT(scenario::MethodPattern);
BREAKWIRE_TEXT(scenario::PortChoice);
BREAKWIRE_TEXT(scenario::HostPort);
BREAKWIRE_TEXT(scenario::FilePath);
BREAKWIRE_TEXT(scenario::Reason);
BREAKWIRE_TEXT(scenario::Length);
BREAKWIRE_TEXT(scenario::Count);
BREAKWIRE_TEXT(history::Correlate);
#undef BREAKWIRE_TEXT

template <>
struct EnumNames<scenario::EdgeProtocol> {
  static std::string type() { return "protocol"; }
  static const std::vector<std::pair<std::string, scenario::EdgeProtocol>>& names();
};
template <>
struct EnumNames<scenario::LoadModel> {
  static std::string type() { return "load model"; }
  static const std::vector<std::pair<std::string, scenario::LoadModel>>& names();
};

}  // namespace breakwire
