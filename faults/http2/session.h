// What happens between two HTTP/2 peers with a relay between them: bytes in, bytes out. Pure: no sockets, no
// clock.
//
// RELAY.md's rules are kept here: field blocks, flow-control ledger, cut-through, SETTINGS, stream ids,
// GOAWAY, limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "faults/fault_set.h"
#include "faults/http2/output.h"
#include "faults/observation.h"

namespace breakwire::http2 {

/// RELAY.md rule 12. Reaching one ends the connection with an observation that names the peer; only
/// `held_bytes` does not.
struct Limits {
  size_t field_block_bytes = 64 * 1024;   // encoded, HEADERS and its CONTINUATIONs as they came
  size_t continuations = 16;              // per field block
  size_t field_list_bytes = 256 * 1024;   // decoded, +32 per field, counted as it grows
  size_t queued_output_bytes = 8u << 20;  // towards one peer; DATA stops being read long before
  size_t queued_control_frames = 10'000;  // towards one peer
  size_t resets_per_second = 5'000;       // RST_STREAM from one peer
  // Frames from one peer that move no call: PING, SETTINGS, those that are passed over, and DATA that brings
  // neither data nor an end. Floods of them are CVE-2019-9512, -9515 and -9518.
  size_t idle_frames_per_second = 100'000;
  size_t settings_parameters = 32;      // in one SETTINGS frame (nghttp2's bound since CVE-2020-11080)
  size_t open_calls_bytes = 64u << 20;  // decoded request fields (+32 each) of the calls under way
  size_t open_streams = 100'000;        // calls under way on a connection
  // DATA held back for calls, per connection and direction, for which the relay advances connection credit.
  // Beyond that the sender's other calls feel the held ones, which is told (LimitReached) and goes on.
  size_t held_bytes = 1u << 20;
};

class Workspace;

struct SessionOptions {
  EdgeId edge;
  ConnectionId connection;
  std::string correlation_key;  // a field of requests whose value CallStarted keeps; empty: none
  Limits limits;
  Workspace* workspace = nullptr;  // shared by sessions of one thread; outlives them. Without: one of its own
};

enum class Side { downstream, upstream };

/// What a session needs of whoever runs it. Called only from within the session's own functions.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// False while every ruling about control frames, or about this call (whose metadata need not be filled
  /// in), would be to forward: then it need not be asked.
  virtual bool rules_control() const { return true; }
  virtual bool rules(const faults::CallFacts&) const { return true; }
  /// The armed faults' ruling about a call at a stage.
  virtual faults::Ruling decide(const faults::CallReached& reached) = 0;
  /// The terminal action of a ruling about a call was carried out.
  virtual void carried_out(const FaultId& fault, StreamId stream) = 0;
  /// And about a control frame.
  virtual faults::Ruling decide(const faults::ControlReached& reached) = 0;
  /// The call is over: nothing more will be asked about it.
  virtual void forget(StreamId stream) = 0;
  virtual void observe(faults::Observation&& observation) = 0;
  /// What the fault had answered about the connection (`Session::act`) has now been done: a hit of its.
  virtual void carried_out(const FaultId&) {}
};

/// The session starts with downstream's first byte (the preface included) and ends with the connection.
class Session {
 public:
  Session(SessionOptions options, SessionHost& host);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Bytes read from a peer, in order, in pieces of any size.
  void receive(Side from, std::span<const uint8_t> bytes, Instant now);
  /// The same, but the output may lie in `bytes` (Gathered::borrow): it has to be taken, or `keep_output`
  /// called, as long as they are there and before any other of these functions but this one, `written` and
  /// questions.
  void receive_lent(Side from, std::span<const uint8_t> bytes, Instant now);
  void keep_output();
  /// Are there more control frames in the output than a few calls make? Then it is to be taken before more is
  /// received: beyond `queued_control_frames` they count as a flood.
  bool answers_pile_up() const;
  /// So many bytes of the output have, in sum since the start, been written to the peer's socket.
  void written(Side to, uint64_t total, Instant now);
  /// The peer sent FIN (`reset` false) or RST; `by` tells a fault's doing from the peer's own. Live calls end
  /// as connection_lost once both sides are gone or a RST came.
  void peer_gone(Side side, bool reset, Instant now, FaultId by = {});
  /// A fault's answer about the connection itself: SendGoaway or EditSettings; others are none of its
  /// business. Done now, or as soon as the other peer's SETTINGS have opened that direction (RFC 9113 §3.4),
  /// unless the fault is cleared before. A drain that has begun goes on when its fault is cleared.
  void act(const FaultId& fault, const faults::WireAction& action, Instant now);
  /// A fault was cleared: what it held flows on, as far as limits and settings now in force allow.
  void fault_cleared(const FaultId& fault, Instant now);
  /// Releases what has become due (call-level delays).
  void advance(Instant now);
  std::optional<Instant> next_due() const;

  /// Bytes to write to that peer now, in order; empty when there are none.
  std::string take_output(Side to);
  Gathered gather_output(Side to);
  /// False while the other peer takes its bytes too slowly, or holding has reached its bound: stop reading
  /// from `from`.
  bool wants_input(Side from) const;
  /// True while frames towards `to` are held or delayed: a FIN from the other peer is to be passed on after
  /// them.
  bool holds_output(Side to) const;

  /// The end of the owner's turn. Observations wait so long for their `forwarded` time, so call it after the
  /// turn's `written`, and always before going back to wait for events.
  void flush_observations();

  /// What the session asks its owner to do with the connection, once set.
  struct Demand {
    bool reset = false;  // TCP RST to both; else write out what is queued, then FIN to both
    FaultId fault;       // a fault asked for it; empty: a limit or a violation did
  };
  const std::optional<Demand>& demand() const;

  /// Calls whose HEADERS were received and that have not ended.
  size_t live_calls() const;
  /// PRIORITY and unknown frames, which are not passed on (RELAY.md rule 10).
  uint64_t ignored_frames() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace breakwire::http2
