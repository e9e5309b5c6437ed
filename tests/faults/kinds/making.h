// Faults as a file would make them, and their answers to literal events.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "faults/fault_set.h"
#include "faults/kinds/match_fields.h"

namespace breakwire::faults::testing {

inline json::Value parsed(const std::string& text) {
  auto value = json::parse(text, "test.json");
  if (!value.ok()) throw std::invalid_argument(render(value.errors()));
  return *value;
}

/// What a kind makes of `with`. Throws what is wrong with it.
inline Decision make(const std::string& kind, const std::string& with = "{}") {
  const FaultKind* found = find_fault_kind(kind);
  if (!found) throw std::invalid_argument("no kind " + kind);
  ErrorList errors;
  auto decision = found->make(parsed(with), errors);
  if (!decision) throw std::invalid_argument(render(errors));
  return *decision;
}

inline std::shared_ptr<const WireFault> wire_fault(const std::string& kind, const std::string& with = "{}") {
  return std::get<std::shared_ptr<const WireFault>>(make(kind, with));
}

/// Armed on an edge as a timeline entry with this `match` would be.
inline WireFaultInstance instance(const std::string& kind, const std::string& with = "{}",
                                  const std::string& match = "{}") {
  ErrorList errors;
  auto read = read_match(*find_fault_kind(kind), parsed(match), errors);
  if (!read) throw std::invalid_argument(render(errors));
  return {
      .id = {kind}, .kind = kind, .match = *read, .seed = 42, .order = 0, .fault = wire_fault(kind, with)};
}

inline WireAction answer(const WireFault& fault, const WireEvent& event) {
  Rng rng(1);
  return fault.decide(event, {}, rng);
}

inline std::string said(const WireFault& fault, const WireEvent& event) {
  return name_of(answer(fault, event));
}

/// The answer to a call at a stage.
inline std::string said_at(const WireFault& fault, Stage stage) {
  const CallFacts facts{.connection = {1}, .stream = 1, .method = "a.B/C"};
  return said(fault, CallReached{.stage = stage, .call = &facts});
}

/// The errors of reading `with`, as the user sees them.
inline std::string complaint(const std::string& kind, const std::string& with) {
  ErrorList errors;
  if (find_fault_kind(kind)->make(parsed(with), errors)) return "";
  return render(errors);
}

inline std::string match_complaint(const std::string& kind, const std::string& match) {
  ErrorList errors;
  if (read_match(*find_fault_kind(kind), parsed(match), errors)) return "";
  return render(errors);
}

/// The errors that are in no part of the entry alone, as the user sees them.
inline std::string joint_complaint(const std::string& kind, const std::string& with, const std::string& match,
                                   std::optional<Duration> length = {}) {
  ErrorList errors;
  const json::Value written_with = parsed(with);
  const json::Value written_match = parsed(match);
  const auto read = read_match(*find_fault_kind(kind), written_match, errors);
  if (!read) throw std::invalid_argument(render(errors));
  find_fault_kind(kind)->check(
      {.with = written_with, .written_match = written_match, .match = *read, .length = length}, errors);
  return render(errors);
}

constexpr ConnectionId one{1};
constexpr ConnectionId two{2};
constexpr Stage every_stage[] = {Stage::headers,          Stage::request_message,  Stage::request_end,
                                 Stage::response_headers, Stage::response_message, Stage::response_end};

}  // namespace breakwire::faults::testing
