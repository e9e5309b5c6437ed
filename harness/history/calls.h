// Calls and attempts, put together from the events of an edge. Pure.
//
// A relay sees streams; a stream is one attempt. Attempts are joined into calls as the edge's `correlate`
// says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/history.h"

namespace breakwire::history {

/// One HTTP/2 stream on an edge.
struct Attempt {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  EventNumber event;  // of CallStarted
  std::string method;
  std::optional<Duration> timeout;
  std::string trace_id, parent_id, call_id, correlation;
  unsigned previous_attempts = 0;
  Instant received;                           // HEADERS read from the caller
  std::optional<Instant> forwarded;           // HEADERS written to the callee
  std::optional<Instant> response_forwarded;  // response HEADERS written to the caller

  struct End {
    EventNumber event;
    faults::Ending how = faults::Ending::trailers;
    std::optional<StatusCode> status;
    std::optional<Http2Error> reset;
    Instant received;
    std::optional<Instant> forwarded;
    FaultId fault;
    std::optional<int> pushback_ms;  // grpc-retry-pushback-ms; -1: do not retry
  };
  std::optional<End> end;
  /// The caller's RST_STREAM, when an end had been told before it and had not reached the caller yet.
  struct GivenUp {
    Http2Error code = Http2Error::cancel;
    Instant at;
  };
  std::optional<GivenUp> given_up;
  std::vector<FaultId> hit_by;              // faults that acted on this stream
  int http_status = 0;                      // of the response HEADERS; 0: none seen
  std::optional<Instant> connection_ended;  // when the connection under it was over

  /// What a gRPC client makes of the ending: the trailers' status; without one the mapping of the HTTP status
  /// (grpc/grpc doc/http-grpc-status-mapping.md); the mapping of RST codes and lost connections in
  /// PROTOCOL-HTTP2.md "HTTP2 Transport Mapping", where CANCEL at the deadline is DEADLINE_EXCEEDED and
  /// elsewhere CANCELLED. nullopt while it has not ended.
  std::optional<StatusCode> outcome() const;
  /// The same for the caller, where the answer did not reach it: what its own reset means when it gave up
  /// before, or UNAVAILABLE when the connection ended under it. For whoever judges what a caller did next;
  /// `outcome` is for what the service did.
  std::optional<StatusCode> seen_by_caller() const;
  /// The moment the stream was over for its caller: written to it, or said by it, whichever was first. An
  /// answer that never left the relay was over with the connection. nullopt while none of that has happened.
  std::optional<Instant> ended_at() const;
};

/// One logical call on an edge.
struct Call {
  std::string key;
  std::vector<const Attempt*> attempts;  // in the order they began; never empty
  const Attempt& first() const { return *attempts.front(); }
  const Attempt& last() const { return *attempts.back(); }
};

/// Health and reflection calls, which no check about business calls counts.
bool is_infrastructure(std::string_view method);

struct Joined {
  std::vector<Call> calls;
  Correlate::By by = Correlate::By::automatic;  // what was used
  uint64_t ambiguous = 0;                       // attempts that could belong to more than one call
  std::vector<const Attempt*> ambiguous_attempts;
  std::string why_ambiguous;  // of the first of them
};

/// The attempts of every edge, and the load's own view of its calls. Built once, in one pass, lives as long
/// as the history it was built from.
class Calls {
 public:
  explicit Calls(const History& history);

  /// Infrastructure calls left out; in the order they began.
  std::vector<const Attempt*> attempts(const EdgeId& edge) const;
  /// The same with infrastructure calls, for edges of breakwire's own.
  std::vector<const Attempt*> attempts_of_all_kinds(const EdgeId& edge) const;
  /// How attempts become calls, by the edge's `correlate`; see join.cpp for each way's rules.
  Joined join(const EdgeId& edge) const;

  /// Of a load that is a command nothing is known but what its edge shows: each call there that no other load
  /// stamped is one of its own, issued when its first attempt reached the relay, done when the last one
  /// ended, with that outcome; an answer that has not left the relay by the call's deadline comes too late
  /// for it. Calls that were open when breakwire ended the command are left out unless they succeeded. Events
  /// are the attempts' own.
  struct LoadCall {
    const CallIssued* issued = nullptr;
    EventNumber issued_event;
    Instant issued_at;
    // nullptr: not over when the history ended, or when breakwire began to stop everything: what a call gets
    // then is breakwire's own doing.
    const CallDone* done = nullptr;
    EventNumber done_event;
    Instant done_at;
  };
  /// In the order they were issued. An empty id: of all loads.
  const std::vector<LoadCall>& load_calls() const { return load_calls_; }
  std::vector<const LoadCall*> load_calls(const LoadId& load) const;

 private:
  void add_calls_of_commands(Instant torn_down);

  std::vector<Attempt> attempts_;
  std::vector<LoadCall> load_calls_;
  struct Seen {
    CallIssued issued;
    CallDone done;
  };
  std::vector<std::shared_ptr<const Seen>> seen_;  // of commands; what their load calls point to
  const History* history_;
};

/// A service's life: each process it had.
struct ProcessLife {
  ServiceId service;
  int pid = 0;
  Instant started;
  EventNumber started_event;
  std::optional<Instant> exited;
  EventNumber exited_event;
  std::optional<int> code, signal;
  bool in_teardown = false;         // exited after breakwire began to stop services
  std::optional<FaultId> ended_by;  // a fault signalled, killed or restarted it before it exited
};
std::vector<ProcessLife> process_lives(const History& history);

}  // namespace breakwire::history
