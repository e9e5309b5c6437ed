// A scenario's topology standing for a person to play with: its services and edges, no load, no faults, no
// judgement.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/scenario/scenario.h"

namespace breakwire::run {

struct StandingOptions {
  std::string bin;            // what `${bin}` stands for
  std::string guard_program;  // path of breakwire-guard
  std::string log_dir;  // for <service>.log; made when missing. Empty: a temporary one, removed at the end
};

/// Where everything is, once all is ready.
struct Standing {
  struct Service {
    ServiceId id;
    std::string kind;  // "process", "postgres", "external"
    std::optional<int> pid;
    std::map<std::string, std::string> addresses;  // name of a port -> host:port, the service's own
    std::string liveness, readiness;               // its health names; empty for what is no gRPC service
    std::string metrics;                           // URL, if it has one
    std::string log;                               // path; empty: none
  };
  struct Edge {
    EdgeId id;
    std::string address;  // of the relay on it: who dials this is seen, and can be broken
    std::string url;      // for an edge to a database
  };
  std::vector<Service> services;
  std::vector<Edge> edges;
  Duration took{};
};

/// How it ended. Nothing of it is left by then: every service was asked to stop, as at the end of a run.
struct StandingEnd {
  struct Gone {
    ServiceId service;
    std::string how;                       // "exit code 3"
    std::vector<std::string> last_output;  // lines
  };
  bool was_ready = false;
  std::optional<Error> trouble;   // it could not be set up, or the guard was killed
  std::vector<Gone> gone;         // services that ended by themselves, which ended it
  std::vector<ServiceId> killed;  // did not end within their grace when they were asked to
};

/// Starts everything, calls `ready`, and holds until `stop` is requested or a service ends. What services do
/// is in the answer; throws std::exception when not even the guard or the log folder can be had.
StandingEnd hold_topology(const scenario::Scenario& scenario, const StandingOptions& options,
                          const std::function<void(const Standing&)>& ready, const std::stop_token& stop);

}  // namespace breakwire::run
