// What was set up, as far as judging needs it: the head of a history. Pure data.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/ids.h"
#include "base/status_code.h"

namespace breakwire::history {

struct ServiceSetup {
  ServiceId id;
  bool postgres = false;
  bool external = false;              // not started by breakwire: no process to watch
  bool health = false;                // its health is polled
  std::string liveness = "liveness";  // grpc.health.v1 names it answers to
  std::string readiness = "readiness";
  /// The name to ask grpc.health.v1 for a probe of "liveness" or "readiness"; else "", the whole server.
  std::string health_name(std::string_view probe) const;
  bool operator==(const ServiceSetup&) const = default;
};

/// How the attempts of one call are recognised on an edge.
struct Correlate {
  enum class By { automatic, attempts_header, trace, metadata, serial } by = By::automatic;
  std::string key;  // for `metadata`
  bool operator==(const Correlate&) const = default;
};

struct EdgeSetup {
  EdgeId id;
  ServiceId from;  // "client" for the load
  ServiceId to;
  Correlate correlate;
  bool grpc = true;      // false: plain TCP
  bool control = false;  // breakwire's own (health, reflection): no fault can name it, no check judges it
  bool operator==(const EdgeSetup&) const = default;
};

struct LoadSetup {
  LoadId id;
  EdgeId via;
  std::string method;  // "pkg.Service/Method"; empty: it is a command, the user's own client
  std::optional<Duration> deadline;
  std::optional<Duration> stopped_after;  // a command is ended when it has run so long
  std::set<StatusCode> baseline_status{StatusCode::ok};
  bool command() const { return method.empty(); }
  bool operator==(const LoadSetup&) const = default;
};

struct FaultSetup {
  FaultId id;
  std::string kind;
  std::string on;                    // edge or service
  bool process = false;              // acts on a process, else on an edge
  bool call = false;                 // a call fault: needs an edge that speaks HTTP/2
  bool instant = false;              // no length: windows count from its start
  uint64_t must_fire = 1;            // least number of hits
  uint64_t must_find_in_flight = 0;  // calls in flight at its service when it fires
  bool operator==(const FaultSetup&) const = default;
};

struct Setup {
  std::string scenario;
  uint64_t seed = 0;
  std::vector<ServiceSetup> services;
  std::vector<EdgeSetup> edges;
  std::vector<LoadSetup> loads;
  std::vector<FaultSetup> faults;
  std::optional<Duration> baseline;  // its length from t = 0; nullopt: waived, or no faults
  uint64_t baseline_min_samples = 1;

  const ServiceSetup* service(const ServiceId& id) const;
  const EdgeSetup* edge(const EdgeId& id) const;
  const LoadSetup* load(const LoadId& id) const;
  const FaultSetup* fault(const FaultId& id) const;
  bool operator==(const Setup&) const = default;
};

}  // namespace breakwire::history
