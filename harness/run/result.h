// What a run showed, as plain data: everything a report says is here. Pure.
//
// Times are offsets from t = 0 of their scenario (the start of load), so they can be negative during setup.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/checks/check.h"

namespace breakwire::run {

using checks::Verdict;

struct PhaseResult {
  std::string name;  // "setup", "baseline", "main", "settling", "teardown"
  Duration began{};
  Duration ended{};
};

struct ProcessResult {
  int pid = 0;
  Duration started{};
  std::optional<Duration> exited;
  std::optional<int> code, signal;
  bool expected = true;  // the exit: a fault's doing, or the teardown's
};
struct ServiceResult {
  ServiceId id;
  std::string kind;                      // "process", "postgres", "external"
  std::vector<ProcessResult> processes;  // one for each (re)start
  std::string log;                       // path below the report folder, or empty
  std::vector<std::string> last_output;  // when it is to blame
};

/// A call that a fault hit.
struct SampleCall {
  EventNumber event;  // of the hit
  Duration at{};
  std::string action;  // what was done to it
  std::string method, call_id, trace_id;
  ConnectionId connection;
  StreamId stream = 0;
};

struct FaultResult {
  FaultId id;
  std::string kind, on;
  std::optional<Duration> armed, first_hit, last_hit, cleared;
  uint64_t eligible = 0, hits = 0;
  std::optional<uint64_t> in_flight;  // process faults: calls in flight at the service when it acted
  bool fired = false;                 // as often as must_fire asks, with as many in flight
  std::string reason;                 // why not
  std::string fidelity;
  std::string cleanup;                   // "healed", "not needed", or what went wrong
  std::vector<EventNumber> samples;      // up to 10 of its hits
  std::vector<SampleCall> sample_calls;  // those of them that are calls
  json::Value entry;                     // as written in the file
};

struct CheckOutcome {
  std::string name, kind;
  checks::CheckResult result;
  std::string window;
  bool universal = false;
  std::string file;
  size_t line = 0;
};

struct Percentiles {
  uint64_t samples = 0;
  double p50_ms = 0, p90_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
};
struct LoadResult {
  LoadId id;
  EdgeId via;
  std::string method;                // of a command: empty
  std::vector<std::string> command;  // as written in the file; its calls are what the wire showed of it
  std::string log;                   // of a command: path below the report folder
  uint64_t issued = 0, unfinished = 0, late_starts = 0;
  std::map<StatusCode, uint64_t> by_status;
  std::vector<std::pair<std::string, Percentiles>> latency;  // by phase: "baseline", "main"
};

struct TwinResult {
  std::string name;
  std::vector<std::string> expected;  // names of the checks that had to fail
  std::vector<std::string> observed;  // names of those that did
};

struct ScenarioResult {
  std::string id, file, name, variant, description;
  std::vector<std::string> tags;
  uint64_t seed = 0;
  Verdict verdict = Verdict::error;
  std::string reason;          // one sentence; of a pass: empty
  bool file_at_fault = false;  // an error that the scenario file must mend (an unknown method): exit code 4
  std::string replay;          // a command line
  std::optional<TwinResult> twin;
  std::string baseline;  // "green (23 calls)", "waived: …", "none: no faults", or why it was not green
  std::vector<std::pair<std::string, std::string>> waived;  // universal check, why
  std::vector<PhaseResult> phases;
  std::vector<ServiceResult> services;
  std::vector<FaultResult> faults;
  std::vector<CheckOutcome> checks;
  std::vector<LoadResult> loads;
  std::vector<std::pair<std::string, std::string>> correlated;  // edge, how its attempts were joined
  uint64_t events = 0;
  double relay_p50_us = 0, relay_p99_us = 0;  // time the relay itself added
  std::vector<std::string> notes;             // limits reached, services that had to be killed, …
  std::string history;                        // path of the NDJSON below the report folder
  Duration took{};
};

struct Summary {
  Verdict verdict = Verdict::passed;
  uint64_t total = 0, passed = 0, failed = 0, inconclusive = 0, error = 0, skipped = 0;
};

struct RunResult {
  std::string version;  // breakwire's
  std::string started;  // wall clock, RFC 3339, for people only
  std::vector<std::string> command;
  bool interrupted = false;
  Duration took{};
  unsigned jobs = 1;
  std::vector<std::pair<std::string, Duration>> where_time_went;  // summed over scenarios, by phase
  std::vector<ScenarioResult> scenarios;

  Summary summary() const;
};

/// 0 passed, 1 failed, 2 inconclusive, 3 error, 4 a file at fault or nothing ran; 4 > 3 > 1 > 2 > 0. An
/// interrupted run is never 0.
int exit_code_of(const RunResult& result);

}  // namespace breakwire::run
