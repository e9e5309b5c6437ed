// What the network layer saw: plain data, handed to an Observer on the data-plane thread. Pure.
//
// Frames carry two times. `received`: read by the relay. `forwarded`: the frame's last byte was written to
// the other peer's socket; absent while (or because) it has not been. What a callee knew counts from
// `forwarded` on its inbound edge; what a caller saw counts from `forwarded` towards it.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/duration.h"
#include "base/ids.h"
#include "base/status_code.h"
#include "faults/metadata.h"
#include "faults/wire_event.h"

namespace breakwire::faults {

struct FrameTimes {
  Instant received;
  std::optional<Instant> forwarded;
  bool operator==(const FrameTimes&) const = default;
};

enum class Protocol { http2, tcp, tls };  // tls: a ClientHello was seen; only transport faults can act
enum class Peer { downstream, upstream, relay };

struct ConnectionAccepted {
  EdgeId edge;
  ConnectionId connection;
  Instant at;
  bool operator==(const ConnectionAccepted&) const = default;
};
/// The upstream refused (or could not be reached); the accepted connection was reset in turn.
struct UpstreamRefused {
  EdgeId edge;
  ConnectionId connection;
  Instant at;
  std::string error;
  bool operator==(const UpstreamRefused&) const = default;
};
struct ProtocolDetected {
  EdgeId edge;
  ConnectionId connection;
  Instant at;
  Protocol protocol = Protocol::tcp;
  bool operator==(const ProtocolDetected&) const = default;
};
/// Both directions are over. Half-closes are mirrored and not recorded. `by` is who sent the RST, if one came
/// (also to a connection that was being closed in good order: a peer that closes without having read
/// everything sends one); else who sent the first FIN; the relay for a fault, a limit or the end of the run.
struct ConnectionEnded {
  EdgeId edge;
  ConnectionId connection;
  Instant at;
  Peer by = Peer::downstream;
  bool reset = false;  // TCP RST; else FIN
  FaultId fault;       // when a fault did it
  bool operator==(const ConnectionEnded&) const = default;
};

/// Request HEADERS: an attempt begins. Values of `authorization` and of the scenario's secrets never get
/// here.
struct CallStarted {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  FrameTimes times;
  std::string method;  // "pkg.Service/Method"
  std::string authority;
  std::optional<Duration> timeout;  // grpc-timeout
  std::string trace_id;             // of traceparent, empty if absent or invalid
  std::string parent_id;            // span id of traceparent
  unsigned previous_attempts = 0;
  std::string call_id;      // x-breakwire-call, which the load stamps
  std::string correlation;  // the value of the edge's correlation key, if it has one
  bool operator==(const CallStarted&) const = default;
};
struct ResponseStarted {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  FrameTimes times;
  int http_status = 0;
  bool operator==(const ResponseStarted&) const = default;
};
/// A whole length-prefixed gRPC message passed (PROTOCOL-HTTP2.md), `size` bytes without its 5-byte prefix.
struct MessageSeen {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  FrameTimes times;
  Direction direction = Direction::request;
  uint64_t index = 0;
  uint64_t size = 0;
  bool operator==(const MessageSeen&) const = default;
};

enum class Ending {
  trailers,             // the upstream ended it; `status` is what grpc-status said
  reset_by_downstream,  // RST_STREAM from the caller
  reset_by_upstream,    // RST_STREAM from the callee
  connection_lost,      // the TCP connection ended under it
  ended_by_fault,       // a fault answered, reset, or cut it
  refused_while_held,   // a fault held it while the upstream sent its final GOAWAY: not the service's doing
  refused_by_goaway,    // above the upstream's last stream id, nothing of it was forwarded
};
/// A call is over, by whatever came first; recorded once per CallStarted.
struct CallEnded {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  FrameTimes times;
  Ending how = Ending::trailers;
  std::optional<StatusCode> status;  // with trailers or ended_by_fault, when there was one
  std::string message;
  std::optional<Http2Error> reset;  // with the reset endings
  FaultId fault;
  std::optional<int> pushback_ms = {};  // grpc-retry-pushback-ms of the trailers; -1: do not retry (gRFC A6)
  bool operator==(const CallEnded&) const = default;
};
/// The caller reset a call (RST_STREAM) whose end had been told already. If that end had not been forwarded
/// to it by then, it did not wait for it: `at` is when the RST was read.
struct CallGivenUp {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  Instant at;
  Http2Error code = Http2Error::cancel;
  bool operator==(const CallGivenUp&) const = default;
};
struct GoawaySeen {
  EdgeId edge;
  ConnectionId connection;
  FrameTimes times;
  Direction direction = Direction::response;  // response: from the server
  uint32_t last_stream = 0;                   // as its sender wrote it
  Http2Error code = Http2Error::no_error;
  std::string debug;
  bool operator==(const GoawaySeen&) const = default;
};
struct PingSeen {
  EdgeId edge;
  ConnectionId connection;
  FrameTimes times;
  Direction direction = Direction::request;
  bool ack = false;
  uint64_t payload = 0;
  bool operator==(const PingSeen&) const = default;
};

enum class FrameKind { call_started, response_started, call_ended, goaway };
/// A frame recorded earlier without a `forwarded` time has now left the relay.
struct Forwarded {
  EdgeId edge;
  ConnectionId connection;
  StreamId stream = 0;
  FrameKind frame = FrameKind::call_started;
  Instant at;
  bool operator==(const Forwarded&) const = default;
};

/// A fault did something other than forward. For byte-level actions only the first per connection and
/// direction is told; the sums are in FaultTally.
struct FaultHit {
  EdgeId edge;
  FaultId fault;
  ConnectionId connection;
  StreamId stream = 0;  // 0: the connection, or (connection 0) the listener
  Instant at;
  std::string action;  // name_of(WireAction)
  bool operator==(const FaultHit&) const = default;
};
/// One of the relay's own limits was reached by a peer; the connection was ended for it, except for
/// `held_bytes` (http2::Limits). Never a service's failure.
struct LimitReached {
  EdgeId edge;
  ConnectionId connection;
  Instant at;
  Peer by = Peer::downstream;
  std::string limit;  // the option's name
  bool operator==(const LimitReached&) const = default;
};
/// A peer broke HTTP/2 in a way the relay cannot pass on; the connection was ended with GOAWAY.
struct ProtocolViolation {
  EdgeId edge;
  ConnectionId connection;
  Instant at;
  Peer by = Peer::downstream;
  std::string what;
  bool operator==(const ProtocolViolation&) const = default;
};

using Observation = std::variant<ConnectionAccepted, UpstreamRefused, ProtocolDetected, ConnectionEnded,
                                 CallStarted, ResponseStarted, MessageSeen, CallEnded, GoawaySeen, PingSeen,
                                 Forwarded, FaultHit, LimitReached, ProtocolViolation, CallGivenUp>;

class Observer {
 public:
  virtual ~Observer() = default;
  /// Called on the data-plane thread, in the order things happened. Must not block. May be moved from.
  virtual void observe(Observation&& observation) = 0;
};

}  // namespace breakwire::faults
