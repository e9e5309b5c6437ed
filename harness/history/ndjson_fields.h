// What of each payload and of the set-up is stored, said once for writing and reading. Pure; for ndjson.cpp
// only.
//
// `fields(archive, value)` names every member: archive("key", member). Units are added to keys by type.
#pragma once

#include "harness/history/event.h"
#include "harness/history/setup.h"

namespace breakwire::history::stored {

template <class E>
struct Names;

#define BREAKWIRE_NAMES(E, ...)                                                       \
  template <>                                                                         \
  struct Names<E> {                                                                   \
    static constexpr std::array all = std::to_array<std::string_view>({__VA_ARGS__}); \
  }
BREAKWIRE_NAMES(faults::Protocol, "http2", "tcp", "tls");
BREAKWIRE_NAMES(faults::Peer, "downstream", "upstream", "relay");
BREAKWIRE_NAMES(faults::Direction, "request", "response");
BREAKWIRE_NAMES(faults::FrameKind, "call_started", "response_started", "call_ended", "goaway");
BREAKWIRE_NAMES(faults::Ending, "trailers", "reset_by_downstream", "reset_by_upstream", "connection_lost",
                "ended_by_fault", "refused_while_held", "refused_by_goaway");
BREAKWIRE_NAMES(Phase, "setup", "baseline", "main", "settling", "teardown", "ended");
BREAKWIRE_NAMES(HealthStatus, "SERVING", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN", "UNREACHABLE");
BREAKWIRE_NAMES(Correlate::By, "auto", "attempts_header", "trace", "metadata", "serial");
#undef BREAKWIRE_NAMES

/// Of the alternatives of Payload, in their order.
inline constexpr auto type_names = std::to_array<std::string_view>(
    {"connection_accepted", "upstream_refused", "protocol_detected", "connection_ended",   "call_started",
     "response_started",    "message_seen",     "call_ended",        "goaway_seen",        "ping_seen",
     "forwarded",           "fault_hit",        "limit_reached",     "protocol_violation", "phase_began",
     "load_began",          "load_ended",       "call_issued",       "call_done",          "process_started",
     "service_ready",       "signal_sent",      "process_exited",    "health_seen",        "fault_armed",
     "fault_cleared",       "restart_failed",   "call_cancelled",    "log_seen",           "metrics_seen",
     "resources_seen",      "ledger_read",      "command_ended",     "call_given_up",      "fault_failed"});
static_assert(type_names.size() == std::variant_size_v<Payload>);

template <class A>
void fields(A& a, faults::ConnectionAccepted& e) {
  a("edge", e.edge), a("connection", e.connection), a("at", e.at);
}
template <class A>
void fields(A& a, faults::UpstreamRefused& e) {
  a("edge", e.edge), a("connection", e.connection), a("at", e.at), a("error", e.error);
}
template <class A>
void fields(A& a, faults::ProtocolDetected& e) {
  a("edge", e.edge), a("connection", e.connection), a("at", e.at), a("protocol", e.protocol);
}
template <class A>
void fields(A& a, faults::ConnectionEnded& e) {
  a("edge", e.edge), a("connection", e.connection), a("at", e.at), a("by", e.by), a("reset", e.reset),
      a("fault", e.fault);
}
template <class A>
void fields(A& a, faults::CallStarted& e) {
  a("edge", e.edge), a("connection", e.connection), a("stream", e.stream), a("", e.times);
  a("method", e.method), a("authority", e.authority), a("timeout", e.timeout), a("trace_id", e.trace_id);
  a("parent_id", e.parent_id), a("previous_attempts", e.previous_attempts), a("call_id", e.call_id),
      a("correlation", e.correlation);
}
template <class A>
void fields(A& a, faults::ResponseStarted& e) {
  a("edge", e.edge), a("connection", e.connection), a("stream", e.stream), a("", e.times);
  a("http_status", e.http_status);
}
template <class A>
void fields(A& a, faults::MessageSeen& e) {
  a("edge", e.edge), a("connection", e.connection), a("stream", e.stream), a("", e.times);
  a("direction", e.direction), a("index", e.index), a("size_bytes", e.size);
}
template <class A>
void fields(A& a, faults::CallEnded& e) {
  a("edge", e.edge), a("connection", e.connection), a("stream", e.stream), a("", e.times);
  a("how", e.how), a("status", e.status), a("message", e.message), a("reset", e.reset), a("fault", e.fault);
  a("pushback_ms", e.pushback_ms);
}
template <class A>
void fields(A& a, faults::CallGivenUp& e) {
  a("edge", e.edge), a("connection", e.connection), a("stream", e.stream), a("at", e.at), a("code", e.code);
}
template <class A>
void fields(A& a, faults::GoawaySeen& e) {
  a("edge", e.edge), a("connection", e.connection), a("", e.times), a("direction", e.direction);
  a("last_stream", e.last_stream), a("code", e.code), a("debug", e.debug);
}
template <class A>
void fields(A& a, faults::PingSeen& e) {
  a("edge", e.edge), a("connection", e.connection), a("", e.times), a("direction", e.direction);
  a("ack", e.ack), a("payload", e.payload);
}
template <class A>
void fields(A& a, faults::Forwarded& e) {
  a("edge", e.edge), a("connection", e.connection), a("stream", e.stream), a("frame", e.frame), a("at", e.at);
}
template <class A>
void fields(A& a, faults::FaultHit& e) {
  a("edge", e.edge), a("fault", e.fault), a("connection", e.connection), a("stream", e.stream);
  a("at", e.at), a("action", e.action);
}
template <class A>
void fields(A& a, faults::LimitReached& e) {
  a("edge", e.edge), a("connection", e.connection), a("at", e.at), a("by", e.by), a("limit", e.limit);
}
template <class A>
void fields(A& a, faults::ProtocolViolation& e) {
  a("edge", e.edge), a("connection", e.connection), a("at", e.at), a("by", e.by), a("what", e.what);
}
template <class A>
void fields(A& a, PhaseBegan& e) {
  a("phase", e.phase);
}
template <class A>
void fields(A& a, LoadBegan& e) {
  a("load", e.load);
}
template <class A>
void fields(A& a, LoadEnded& e) {
  a("load", e.load);
}
template <class A>
void fields(A& a, CallIssued& e) {
  a("load", e.load), a("call", e.number), a("call_id", e.call_id), a("trace_id", e.trace_id);
  a("method", e.method), a("deadline", e.deadline), a("intended", e.intended), a("fields", e.fields);
}
template <class A>
void fields(A& a, CallIssued::Field& e) {
  a("name", e.name), a("value", e.value);
}
template <class A>
void fields(A& a, CallCancelled& e) {
  a("load", e.load), a("call", e.number), a("call_id", e.call_id);
}
template <class A>
void fields(A& a, LogSeen& e) {
  a("service", e.service), a("method", e.method), a("code", e.code), a("status", e.status);
  a("duration", e.duration), a("trace_id", e.trace_id);
}
template <class A>
void fields(A& a, MetricsSeen::Sample& e) {
  a("series", e.series), a("value", e.value);
}
template <class A>
void fields(A& a, MetricsSeen& e) {
  a("service", e.service), a("asked", e.asked), a("samples", e.samples), a("error", e.error);
}
template <class A>
void fields(A& a, ResourcesSeen& e) {
  a("service", e.service), a("pid", e.pid), a("threads", e.threads), a("descriptors", e.descriptors);
  a("resident_bytes", e.resident_bytes);
}
template <class A>
void fields(A& a, LedgerRead::Row& e) {
  a("key", e.key), a("count", e.count);
}
template <class A>
void fields(A& a, LedgerRead& e) {
  a("check", e.check), a("rows", e.rows), a("error", e.error);
}
template <class A>
void fields(A& a, CommandEnded& e) {
  a("name", e.name), a("code", e.code), a("signal", e.signal), a("timed_out", e.timed_out);
  a("error", e.error), a("last_output", e.last_output);
}
template <class A>
void fields(A& a, CallDone& e) {
  a("load", e.load), a("call", e.number), a("call_id", e.call_id), a("status", e.status);
  a("message", e.message), a("intended", e.intended), a("issued", e.issued), a("deadline", e.deadline);
  a("responses", e.responses);
}
template <class A>
void fields(A& a, ProcessStarted& e) {
  a("service", e.service), a("pid", e.pid);
}
template <class A>
void fields(A& a, RestartFailed& e) {
  a("service", e.service), a("why", e.why);
}
template <class A>
void fields(A& a, ServiceReady& e) {
  a("service", e.service);
}
template <class A>
void fields(A& a, SignalSent& e) {
  a("service", e.service), a("pid", e.pid), a("signal", e.signal), a("fault", e.fault);
  a("in_flight", e.in_flight);
}
template <class A>
void fields(A& a, ProcessExited& e) {
  a("service", e.service), a("pid", e.pid), a("code", e.code), a("signal", e.signal);
}
template <class A>
void fields(A& a, HealthSeen& e) {
  a("service", e.service), a("name", e.name), a("status", e.status), a("asked", e.asked);
  a("error", e.error);
}
template <class A>
void fields(A& a, FaultArmed& e) {
  a("fault", e.fault), a("in_flight", e.in_flight);
}
template <class A>
void fields(A& a, FaultCleared& e) {
  a("fault", e.fault), a("eligible", e.tally.eligible), a("hits", e.tally.hits), a("last_hit", e.last_hit);
}

template <class A>
void fields(A& a, FaultFailed& e) {
  a("fault", e.fault), a("why", e.why), a("in_cleanup", e.in_cleanup);
}

template <class A>
void fields(A& a, Correlate& s) {
  a("by", s.by), a("key", s.key);
}
template <class A>
void fields(A& a, ServiceSetup& s) {
  a("id", s.id), a("postgres", s.postgres), a("external", s.external), a("health", s.health);
  a("liveness", s.liveness), a("readiness", s.readiness);
}
template <class A>
void fields(A& a, EdgeSetup& s) {
  a("id", s.id), a("from", s.from), a("to", s.to), a("correlate", s.correlate), a("grpc", s.grpc);
  a("control", s.control);
}
template <class A>
void fields(A& a, LoadSetup& s) {
  a("id", s.id), a("via", s.via), a("method", s.method), a("deadline", s.deadline);
  a("stopped_after", s.stopped_after), a("baseline_status", s.baseline_status);
}
template <class A>
void fields(A& a, FaultSetup& s) {
  a("id", s.id), a("kind", s.kind), a("on", s.on), a("process", s.process), a("call", s.call);
  a("instant", s.instant), a("must_fire", s.must_fire), a("must_find_in_flight", s.must_find_in_flight);
}
template <class A>
void fields(A& a, Setup& s) {
  a("scenario", s.scenario), a("seed", s.seed), a("services", s.services), a("edges", s.edges);
  a("loads", s.loads), a("faults", s.faults), a("baseline", s.baseline);
  a("baseline_min_samples", s.baseline_min_samples);
}

}  // namespace breakwire::history::stored
