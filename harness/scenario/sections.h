// The sections of a scenario file: each has its described structs, its reader, and so its schema. Pure.
//
// Every reader is given a section in which variables are replaced, adds all its errors, and leaves out what
// it could not make sense of; the names of that are known all the same, so that one mistake is one error.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/scenario/placeholders.h"
#include "harness/scenario/read.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/texts.h"

namespace breakwire::scenario {

/// What a window or an `after` needs to know of a fault.
struct FaultName {
  const faults::FaultKind* kind = nullptr;  // nullptr: unknown, and reported where it stands
  bool has_length = false;                  // `for` or `down` is given
  json::Span span;                          // of its id
  bool instant() const;
  bool endless() const;  // lasts to the end of the run
};

/// All that is named, and what it is; nullptr for what is named but wrong.
struct Names {
  std::map<std::string, const Service*> services;
  std::map<std::string, const Edge*> edges;
  std::map<std::string, const Load*> loads;
  std::map<std::string, FaultName> faults;
  bool whole = true;  // see Document::whole: unless it is, unknown names are no errors

  /// The thing itself, or nullptr: with an error when there is none of that name, without when it is wrong.
  const Service* service(const Name& name, ErrorList& errors) const;
  const Edge* edge(const Name& name, ErrorList& errors) const;
  /// An edge that carries calls.
  const Edge* call_edge(const Name& name, std::string_view who, ErrorList& errors) const;
  const FaultName* fault(const Name& name, ErrorList& errors) const;
  void unknown(std::string_view what, const Name& name, const std::vector<std::string>& known,
               ErrorList& errors) const;
};

bool is_postgres(const Service& service);
bool is_external(const Service& service);
/// The ports that edges can dial, by name.
std::vector<std::string> ports_of(const Service& service);

/// A file that the scenario names and that must be there.
using NeededFiles = std::vector<FilePath>;

std::vector<Service> read_services(const json::Value& section, NeededFiles& files, ErrorList& errors);
std::vector<Edge> read_edges(const json::Value& section, const Names& names, ErrorList& errors);
std::vector<Load> read_loads(const json::Value& section, const Names& names, ErrorList& errors);
/// What `timeline` names, before its entries are read.
std::map<std::string, FaultName> fault_names(const json::Value& section, ErrorList& errors);
struct TimelineRules {
  Duration timeout{};
  std::optional<Duration> baseline;
};
std::vector<TimelineEntry> read_timeline(const json::Value& section, const Names& names,
                                         const TimelineRules& rules, ErrorList& errors);
std::vector<Expectation> read_expect(const json::Value& section, const Names& names, ErrorList& errors);
/// An error for each thing that the check of this entry wishes to see and that this scenario does not have.
void check_wishes(const json::Value& entry, const checks::Check& check, const Names& names,
                  ErrorList& errors);
/// What is asked once for a check goes by the check's name: an error for a second one of the same name.
void refuse_shared_answers(const std::vector<Expectation>& checks, ErrorList& errors);
/// universal check -> why it is waived
std::map<std::string, std::string> read_waivers(const json::Value& section, ErrorList& errors);
/// The universal checks that are neither waived nor given in the file with parameters of their own.
std::vector<Expectation> universal_checks(const std::vector<Expectation>& given,
                                          const std::map<std::string, std::string>& waived);
/// What a twin must fail; an error for each name that no check has: neither an entry of `expect` (wrong ones
/// too) nor a universal check that is not waived.
std::set<std::string> read_fails(const std::vector<Name>& fails, const json::Value& expect,
                                 const std::map<std::string, std::string>& waived, const Names& names,
                                 ErrorList& errors);

/// In texts that are used as they stand: an error for each placeholder; then `$${` becomes `${`. Touches the
/// texts of `root` that nothing fills in during a run.
void settle_fixed_texts(json::Value& root, std::vector<json::Span>& broken, ErrorList& errors);
/// In texts that are filled in during a run: an error for each placeholder that stands for nothing there.
void check_placeholders(const json::Value& root, const Names& names, ErrorList& errors);

/// The member itself, for the place of its key.
const json::Member* member_of(const json::Value& object, std::string_view key);
/// An error at a key.
void refuse_key(const json::Value& object, std::string_view key, std::string what, std::string hint,
                ErrorList& errors);

FormatPart services_section();
FormatPart edges_section();
FormatPart load_section();
FormatPart timeline_section();
FormatPart expect_section();
FormatPart twins_section();

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

}  // namespace breakwire::scenario
