// A check: a pure function over the history. Kinds live beside this file, one file each. Pure.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/described.h"
#include "harness/history/calls.h"
#include "harness/history/window.h"

namespace breakwire::checks {

/// Ordered by how much it says about the system under test; see `worst`.
enum class Verdict { passed, failed, inconclusive, error, skipped };
std::string_view to_text(Verdict verdict);
/// error > failed > inconclusive > passed; skipped only when there is nothing else.
Verdict worst(Verdict a, Verdict b);

struct CheckResult {
  Verdict verdict = Verdict::inconclusive;
  std::string expected;               // a sentence fragment: "every call ends with OK"
  std::string actual;                 // "298 OK, 2 UNAVAILABLE"
  uint64_t samples = 0;               // what the verdict rests on; fewer than min_samples is inconclusive
  std::vector<EventNumber> evidence;  // of a failure: the events that show it (at most 20)
  std::string reason;                 // why inconclusive; else empty
};

/// What a check is given besides its own parameters.
struct Question {
  const history::History& history;
  const history::Calls& calls;
  history::Window window;
  std::string name = {};  // of the check: its id, or its kind; what was read for it carries that name
};

// What a check wants to be seen besides the wire and the processes' lives; the runner sees to it.

/// The service's health, under one of its names: "liveness", "readiness", or "" for the whole server.
struct HealthWish {
  ServiceId service;
  std::string name;
};
/// LogSeen for each record of the service's log. The service must have a `log` mapping.
struct LogWish {
  ServiceId service;
};
/// MetricsSeen, all the time. The service must have a `metrics` URL. `series` is a metric's name, with the
/// labels that must be there in braces or without: `x_total`, `x_total{code="OK"}`.
struct MetricWish {
  ServiceId service;
  std::string series;
};
/// ResourcesSeen, all the time.
struct ResourceWish {
  ServiceId service;
};
/// LedgerRead under the check's name: `query` answers a row of (key, count) for each effect that exists.
struct LedgerWish {
  ServiceId database;
  std::string query;
};
/// The value of a top-level field of each request that has it, of every load, in CallIssued::fields. What
/// other loads ask for has to be known too, to tell it from what nobody did.
struct FieldWish {
  std::string field;
};
/// CommandEnded under the check's name: run once, when the loads are over and before anything is stopped.
/// Arguments may hold the placeholders of a service's `run`.
struct CommandWish {
  std::vector<std::string> argv;
  Duration within{};  // then it is killed
};
using Wish = std::variant<HealthWish, LogWish, MetricWish, ResourceWish, LedgerWish, FieldWish, CommandWish>;

/// A name of the scenario that a check uses, for validation.
struct Reference {
  enum class To { service, edge, load, fault } to = To::service;
  std::string name;
  std::string key;  // where in the check's object it stands
};

class Check {
 public:
  virtual ~Check() = default;
  virtual CheckResult evaluate(const Question& question) const = 0;
  virtual std::vector<Reference> references() const { return {}; }
  /// How long after its window's begin the check must be able to look; the run does not end before.
  virtual Duration needs() const { return Duration::zero(); }
  /// A pass can no longer turn into a failure, so the run need not wait for the rest of `needs`.
  virtual bool settles() const { return false; }
  virtual std::vector<Wish> wishes() const { return {}; }
};

struct CheckKind {
  std::string name;
  std::string summary;     // one sentence
  std::string details;     // what exactly is judged, from which events, with which tolerance and why; sources
  std::string example;     // one `expect` entry, valid JSON
  bool universal = false;  // judged in every scenario unless waived by name; needs no parameters
  std::vector<FieldInfo> parameters;
  json::Value schema;  // of the parameters only

  /// Reads the parameters out of an `expect` entry; keys in `also_known` (check, id, during, …) are somebody
  /// else's.
  std::function<std::unique_ptr<Check>(const json::Value& entry, const std::vector<std::string>& also_known,
                                       ErrorList& errors)>
      make;
};

/// Every kind, in the order of the documentation.
const std::vector<CheckKind>& check_kinds();
const CheckKind* find_check_kind(std::string_view name);
std::vector<std::string> check_kind_names();

/// Evaluates one check of a scenario: resolves its window, asks it, and makes too few samples inconclusive.
struct CheckSpec {
  std::string name;  // its id, or its kind
  std::string kind;
  history::WindowSpec window;
  uint64_t min_samples = 1;
  std::shared_ptr<const Check> check;
};
struct Judged {
  CheckResult result;
  std::string window;  // for the reader
};
Judged judge(const CheckSpec& spec, const history::History& history, const history::Calls& calls);

}  // namespace breakwire::checks
