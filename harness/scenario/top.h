// What stands at the top of a scenario file. Pure.
#pragma once

#include "harness/scenario/sections.h"

namespace breakwire::scenario {

/// How everything is shown to work before the first fault.
struct BaselineText {
  Length length{500ms};
  std::optional<Reason> none;
  Count min_samples;
  static const Fields<BaselineText>& fields();
};
/// The same with its short form, a duration.
struct BaselineChoice {
  BaselineText value;
};

/// Lower-case letters, digits and dashes.
struct ScenarioName {
  std::string text;
};
bool is_scenario_name(std::string_view text);

struct TopText {
  std::string schema;
  json::Value version;  // judged file by file, see read_document
  std::optional<ScenarioName> name;
  std::string description;
  std::vector<std::string> tags;
  std::vector<FilePath> include;
  uint64_t seed = Scenario{}.seed;
  Length timeout{Scenario{}.timeout};
  std::vector<std::string> secrets;
  json::Value vars, matrix, twins, services, edges, load, timeline, expect, waive;
  BaselineChoice baseline;
  static const Fields<TopText>& fields();
};

}  // namespace breakwire::scenario

namespace breakwire {
#define BREAKWIRE_TOP_TEXT(T)                                              \
  template <>                                                              \
  struct Codec<T> {                                                        \
    static bool read(const json::Value& value, T& out, ErrorList& errors); \
    static json::Value schema();                                           \
    static std::string type();                                             \
    static std::string show(const T& value);                               \
  }
BREAKWIRE_TOP_TEXT(scenario::BaselineChoice);
BREAKWIRE_TOP_TEXT(scenario::ScenarioName);
#undef BREAKWIRE_TOP_TEXT
}  // namespace breakwire
