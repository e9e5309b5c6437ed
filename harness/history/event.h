// What happened: one numbered entry of the history. Pure data.
//
// The network layer's observations are events as they are; the others come from the harness itself.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/duration.h"
#include "base/ids.h"
#include "base/status_code.h"
#include "faults/fault_set.h"
#include "faults/observation.h"

namespace breakwire::history {

enum class Phase {
  setup,     // services are being started
  baseline,  // load without faults, from t = 0
  main,      // faults may act
  settling,  // loads are over, streams and check windows close
  teardown,  // breakwire stops the services: exits are expected from here on
  ended,
};
struct PhaseBegan {
  Phase phase = Phase::setup;
  bool operator==(const PhaseBegan&) const = default;
};

struct LoadBegan {
  LoadId load;
  bool operator==(const LoadBegan&) const = default;
};
/// No call of this load begins any more and all have ended.
struct LoadEnded {
  LoadId load;
  bool operator==(const LoadEnded&) const = default;
};

/// The load client starts one logical call.
struct CallIssued {
  LoadId load;
  uint64_t number = 0;  // within its load, from 1
  std::string call_id;  // x-breakwire-call
  std::string trace_id;
  std::string method;
  std::optional<Instant> deadline;
  Instant intended;  // when an open model meant to start it; latency counts from here
  /// Fields of its request that a check wants to know (checks::FieldWish), and nothing else of it.
  struct Field {
    std::string name, value;
    bool operator==(const Field&) const = default;
  };
  std::vector<Field> fields;
  bool operator==(const CallIssued&) const = default;
};
/// The load client cancels a call of its own accord (`cancel_after`); its CallDone follows.
struct CallCancelled {
  LoadId load;
  uint64_t number = 0;
  std::string call_id;
  bool operator==(const CallCancelled&) const = default;
};
/// The client's library has given the call its one final status.
struct CallDone {
  LoadId load;
  uint64_t number = 0;
  std::string call_id;
  StatusCode status = StatusCode::ok;
  std::string message;
  Instant intended;
  Instant issued;
  std::optional<Instant> deadline;
  uint64_t responses = 0;  // messages received
  bool operator==(const CallDone&) const = default;
};

struct ProcessStarted {
  ServiceId service;
  int pid = 0;
  bool operator==(const ProcessStarted&) const = default;
};
/// The service answered its readiness question for the first time since its process started.
struct ServiceReady {
  ServiceId service;
  bool operator==(const ServiceReady&) const = default;
};
/// It was started again and did not come back: it ended, or was not ready in time, or could not be started.
struct RestartFailed {
  ServiceId service;
  std::string why;
  bool operator==(const RestartFailed&) const = default;
};
struct SignalSent {
  ServiceId service;
  int pid = 0;
  int signal = 0;
  FaultId fault;           // empty: breakwire's own teardown
  uint64_t in_flight = 0;  // calls in flight at the service at that moment
  bool operator==(const SignalSent&) const = default;
};
struct ProcessExited {
  ServiceId service;
  int pid = 0;
  std::optional<int> code;
  std::optional<int> signal;
  bool operator==(const ProcessExited&) const = default;
};

enum class HealthStatus { serving, not_serving, unknown, service_unknown, unreachable };
/// "SERVING", "NOT_SERVING", …
std::string_view to_text(HealthStatus status);
std::optional<HealthStatus> parse_health_status(std::string_view name);

/// One answer (or none in time) to a health Check. The event's time is when the answer was there.
struct HealthSeen {
  ServiceId service;
  std::string name;  // the health service name asked for
  HealthStatus status = HealthStatus::unknown;
  Instant asked;
  std::string error;  // with `unreachable`: what the call ended with
  bool operator==(const HealthSeen&) const = default;
};

/// One record of a service's own log that tells of a call, as its `log` mapping reads it. The event's time is
/// when the line was there to be read; it was written a little earlier.
struct LogSeen {
  ServiceId service;
  std::string method;                // "pkg.Service/Method", a leading slash removed
  std::string code;                  // as written: a name or a number
  std::optional<StatusCode> status;  // what that means; nullopt: no gRPC status
  std::optional<Duration> duration;
  std::string trace_id;
  bool operator==(const LogSeen&) const = default;
};

/// One scrape of a service's metrics, of the series that checks ask for (checks::MetricWish).
struct MetricsSeen {
  ServiceId service;
  Instant asked;
  struct Sample {
    std::string series;  // as the service writes it: name{label="value",…}
    double value = 0;
    bool operator==(const Sample&) const = default;
  };
  std::vector<Sample> samples;
  std::string error;  // why there are none: "connection refused"
  bool operator==(const MetricsSeen&) const = default;
};

/// What a service's process holds, as /proc tells it.
struct ResourcesSeen {
  ServiceId service;
  int pid = 0;
  uint64_t threads = 0;
  uint64_t descriptors = 0;
  uint64_t resident_bytes = 0;
  bool operator==(const ResourcesSeen&) const = default;
};

/// A ledger was read (checks::LedgerWish): once, after the loads are over and before anything is stopped.
struct LedgerRead {
  std::string check;  // the check that asked
  struct Row {
    std::string key;
    uint64_t count = 0;  // how often the effect exists
    bool operator==(const Row&) const = default;
  };
  std::vector<Row> rows;
  std::string error;  // why it could not be read
  bool operator==(const LedgerRead&) const = default;
};

/// A command has ended: a check's (checks::CommandWish), or a load that is one.
struct CommandEnded {
  std::string name;  // of the check or the load
  std::optional<int> code, signal;
  bool timed_out = false;  // it was killed at the end of its time
  std::string error;       // why it could not be started
  std::vector<std::string> last_output;
  bool operator==(const CommandEnded&) const = default;
};

/// A timeline entry takes effect (its `at` came, or its `when` happened).
struct FaultArmed {
  FaultId fault;
  uint64_t in_flight = 0;  // of process faults: calls in flight at the service
  bool operator==(const FaultArmed&) const = default;
};
struct FaultCleared {
  FaultId fault;
  faults::FaultTally tally;
  std::optional<Instant> last_hit = {};  // of bytes and control frames only the first hits are events
  bool operator==(const FaultCleared&) const = default;
};

/// A fault on a process could not do what it is for, or what it did came to nothing.
struct FaultFailed {
  FaultId fault;
  std::string why;
  bool in_cleanup = false;  // it did, and could not be undone
  bool operator==(const FaultFailed&) const = default;
};

using Payload =
    std::variant<faults::ConnectionAccepted, faults::UpstreamRefused, faults::ProtocolDetected,
                 faults::ConnectionEnded, faults::CallStarted, faults::ResponseStarted, faults::MessageSeen,
                 faults::CallEnded, faults::GoawaySeen, faults::PingSeen, faults::Forwarded, faults::FaultHit,
                 faults::LimitReached, faults::ProtocolViolation, PhaseBegan, LoadBegan, LoadEnded,
                 CallIssued, CallDone, ProcessStarted, ServiceReady, SignalSent, ProcessExited, HealthSeen,
                 FaultArmed, FaultCleared, RestartFailed, CallCancelled, LogSeen, MetricsSeen, ResourcesSeen,
                 LedgerRead, CommandEnded, faults::CallGivenUp, FaultFailed>;

struct Event {
  EventNumber number;
  Instant at;  // when it happened; events are numbered in the order they were recorded
  Payload what;
  bool operator==(const Event&) const = default;
};

}  // namespace breakwire::history
