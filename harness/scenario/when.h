// `when`: the event a timeline entry waits for. Pure.
#pragma once

#include "harness/checks/names.h"
#include "harness/scenario/sections.h"

namespace breakwire::scenario {

/// Which moment of a fault; "" where a file leaves it open.
const std::vector<std::string>& mark_names();  // "start", "first_hit", "end"

struct InFlightText {
  Name on;
  Count at_least;
  std::optional<MethodPattern> method;
  static const Fields<InFlightText>& fields();
};
struct CallText {
  Name on;
  Count nth;
  faults::Stage stage = faults::Stage::headers;
  std::optional<MethodPattern> method;
  static const Fields<CallText>& fields();
};
struct MarkText {
  std::string text;
};
struct AfterText {
  Name fault;
  std::optional<MarkText> mark;
  Duration delay{};
  static const Fields<AfterText>& fields();
};
struct WhenHealthText {
  Name service;
  checks::Probe probe = checks::Probe::readiness;
  history::HealthStatus is = history::HealthStatus::serving;
  static const Fields<WhenHealthText>& fields();
};
struct WhenExitText {
  Name service;
  static const Fields<WhenExitText>& fields();
};

/// Exactly one of these is given.
struct WhenText {
  std::optional<InFlightText> in_flight;
  std::optional<CallText> call;
  std::optional<AfterText> after;
  std::optional<WhenHealthText> health;
  std::optional<WhenExitText> exit;
  static const Fields<WhenText>& fields();
};

/// Adds an error for every name that is not what the event needs. `object` is the text as it was written.
/// nullopt when there was one.
std::optional<When> when_of(const WhenText& text, const json::Value& object, const Names& names,
                            ErrorList& errors);

/// `mark` of `fault`, or the moment meant when it is left open: the start of an instantaneous fault, else the
/// end. The end of a fault that lasts to the end of the run is an error at `span`.
std::string mark_of(const FaultName& fault, const Name& name, const std::string& mark, ErrorList& errors);

}  // namespace breakwire::scenario

namespace breakwire {
template <>
struct Codec<scenario::MarkText> {
  static bool read(const json::Value& value, scenario::MarkText& out, ErrorList& errors);
  static json::Value schema();
  static std::string type();
  static std::string show(const scenario::MarkText& value) { return value.text; }
};
}  // namespace breakwire
