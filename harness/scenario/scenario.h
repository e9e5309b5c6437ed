// A scenario as plain data, checked: every name in it exists, every variable is replaced. Pure.
//
// What only a run can know stays as a placeholder in text: `${bin}`, `${a->b}`, `${a->b.host}`,
// `${port.NAME}`,
// `${address.NAME}`, `${env.X}`; see placeholders.h. `${uuid}` and `${call}` in requests are filled in for
// each call. Paths are kept as the scenario file's own path is given: relative to where breakwire was started
// when that is.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/described.h"
#include "faults/kinds/kind.h"
#include "harness/checks/check.h"
#include "harness/history/setup.h"

namespace breakwire::scenario {

struct Ready {
  std::optional<std::string> grpc_health;  // wait until Check(this name) says SERVING
  std::optional<std::string> tcp;  // or until this port (by name) accepts; neither: `grpc` port accepts
  Duration within = 10s;
};
struct Stop {
  int signal = SIGTERM;
  Duration grace = 5s;
};
/// Which lines of a service's log tell of the calls it served, and which JSON fields of them hold what.
struct LogMapping {
  std::string path;                         // with placeholders; empty: what the process prints
  std::map<std::string, std::string> only;  // fields that such a line has, with these values
  std::string service;                      // empty: `method` names it too
  std::string method = "method", code = "code", duration_ms = "duration_ms", trace_id = "trace_id";
  std::string duration_s;  // instead of duration_ms; or empty
};
/// Where the messages of a service's methods are described.
struct Descriptors {
  enum class From { reflection, descriptor_set, protos } from = From::reflection;
  std::vector<std::string> files;         // paths
  std::vector<std::string> import_paths;  // for .proto files
};

struct RunCommand {
  std::vector<std::string> argv;  // with placeholders
  std::map<std::string, std::string> env;
  std::string cwd;                                       // a path, or empty: where breakwire was started
  std::map<std::string, std::optional<uint16_t>> ports;  // name -> fixed number; "grpc" is always there
  Ready ready;
  Stop stop;
};
struct PostgresService {
  std::string schema;  // path of an SQL file, or empty
};
struct External {
  std::string host;
  uint16_t port = 0;
};

struct Service {
  ServiceId id;
  std::variant<RunCommand, PostgresService, External> what;
  std::string liveness = "liveness", readiness = "readiness";  // its health names; see DESIGN
  Descriptors descriptors;
  std::optional<LogMapping> log;
  std::optional<std::string> metrics;  // URL, with placeholders
  json::Span span;
};

enum class EdgeProtocol { detect, tcp };
struct Edge {
  EdgeId id;                  // "a->b" or "a->b:NAME", as written
  ServiceId from, to;         // from "client": the load
  std::string port = "grpc";  // of the callee
  EdgeProtocol protocol = EdgeProtocol::detect;
  std::optional<std::pair<std::string, uint16_t>> listen;  // fixed
  history::Correlate correlate;
  json::Span span;
};

enum class LoadModel { open, closed };
struct Load {
  LoadId id;
  EdgeId via;
  std::string method;  // "pkg.Service/Method"
  json::Value request = json::object();
  std::vector<json::Value> messages;  // client and bidirectional streams
  std::map<std::string, std::string> metadata;
  std::optional<Duration> deadline;
  LoadModel model = LoadModel::open;
  Rate rate{10};                   // open
  unsigned concurrency = 1;        // closed
  std::optional<Duration> length;  // `for`
  std::optional<uint64_t> calls;   // or so many; both: whichever comes first
  std::optional<Duration> cancel_after;
  unsigned connections = 1;
  std::optional<json::Value> service_config;
  std::set<StatusCode> baseline_status{StatusCode::ok};
  std::vector<std::string> command;        // instead of all that: the user's own client; with placeholders
  std::map<std::string, std::string> env;  // of the command
  std::string cwd;                         // of the command: a path, or empty: where breakwire was started
  json::Span span;
};

// `when`: an event, not a sleep.
struct WhenInFlight {
  std::string on;  // edge or service
  uint64_t at_least = 1;
  std::optional<std::string> method;  // with `*`
};
struct WhenCall {
  EdgeId on;
  uint64_t nth = 1;
  faults::Stage stage = faults::Stage::headers;
  std::optional<std::string> method;
};
struct WhenAfter {
  FaultId fault;
  std::string mark = "end";  // "start", "first_hit", "end"; never empty
  Duration delay{};
};
struct WhenHealth {
  ServiceId service;
  std::string name;  // "liveness", "readiness", "server"
  std::string is;    // "SERVING", …
};
struct WhenExit {
  ServiceId service;
};
using When = std::variant<WhenInFlight, WhenCall, WhenAfter, WhenHealth, WhenExit>;

struct TimelineEntry {
  FaultId id;
  std::variant<Duration, When> trigger;  // `at`, from t = 0, or `when`
  std::optional<Duration>
      length;      // `for`, or a kind's `down`; nullopt: instantaneous, or to the end of the run
  std::string on;  // edge or service
  const faults::FaultKind* kind = nullptr;  // of the registry, never null
  faults::Decision decision;
  faults::Match match;
  uint64_t must_fire = 1;
  uint64_t must_find_in_flight = 0;
  bool must_be_real = false;  // its fidelity must have been "wire"
  json::Value entry;  // as written, variables replaced, for the report; its span is the place in the file
  /// Over as soon as it has begun: windows count from its start.
  bool instant() const;
};

struct Expectation {
  checks::CheckSpec spec;
  json::Value
      entry;  // as written, variables replaced; its span is the place in the file. Null for universal checks
};

/// What a twin must show.
struct Twin {
  std::string name;
  std::set<std::string> fails;  // names of checks: an id, or a kind
};

struct Scenario {
  std::string file;
  std::string name;     // "sigterm-mid-request"
  std::string variant;  // of a matrix: "delay=100ms"; else empty
  std::optional<Twin> twin;
  std::string description;
  std::vector<std::string> tags;
  uint64_t seed = 1;
  Duration timeout = 60s;
  std::optional<Duration> baseline = 500ms;  // nullopt: waived, or a scenario without faults
  std::string baseline_waiver;               // why, when waived
  uint64_t baseline_min_samples = 1;
  std::vector<Service> services;
  std::vector<Edge> edges;
  std::vector<Load> loads;
  std::vector<TimelineEntry> timeline;
  std::vector<Expectation> expect;            // the file's, then the universal ones that are not waived
  std::map<std::string, std::string> waived;  // universal check -> why
  std::vector<std::string> secrets;           // values that must not reach a report; may hold `${env.X}`

  /// "name", "name[variant]", "name~twin", "name[variant]~twin": unique among what one file expands to.
  std::string id() const;
  const Service* service(const ServiceId& id) const;
  const Edge* edge(const EdgeId& id) const;
};

/// What checks and reports need to know of it.
history::Setup setup_of(const Scenario& scenario);

}  // namespace breakwire::scenario
