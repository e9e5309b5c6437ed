// The two closed vocabularies in which faults answer. A new verb here is a design decision, see
// docs/decisions/.
#pragma once

#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/duration.h"
#include "base/status_code.h"
#include "faults/metadata.h"

namespace breakwire::faults {

// Wire actions, performed by the relay.

/// As if the fault were not there.
struct Forward {};
/// Forward later. Order is kept, what follows is pipelined behind it; delays of several faults add up.
struct Delay {
  Duration by{};
};
/// Keep it, and what follows in that direction of the call or connection, until the fault is cleared; then it
/// flows on.
struct Hold {};
/// End the call towards the caller with a status (Trailers-Only, or trailers if a response has begun). At
/// stage `headers` the upstream never sees the call; later, the upstream's stream is reset with CANCEL if it
/// is still open.
struct EndCall {
  StatusCode code = StatusCode::unavailable;
  std::string message;
  Metadata metadata;  // further trailers
};
/// Only at stage `headers`: let the request through, but read the response and discard it. When the upstream
/// has finished, the fault is asked again at `response_end`, where EndCall, Hold, ResetStream or
/// ResetConnection decide what the caller gets.
struct WithholdResponse {};
/// RST_STREAM towards the caller; the upstream's stream, if one was opened, gets CANCEL.
struct ResetStream {
  Http2Error code = Http2Error::cancel;
};
/// A true TCP RST to both peers, now.
struct ResetConnection {
  /// At BytesReady: so many bytes of the chunk still go before it, as far as the peer has room for them.
  size_t let_through = 0;
};
/// FIN to both peers once what was already forwarded is written.
struct CloseConnection {
  /// At ConnectionOffered and ConnectionFound: so much later, if the fault is still in force then. Only then
  /// it counts as a hit.
  Duration after{};
  /// At BytesReady: so many bytes of the chunk still go, and none behind them.
  size_t let_through = 0;
};
/// At ConnectionOffered: stay connected, read nothing, dial nothing, say nothing.
struct Mute {
  bool close_when_cleared = false;  // else it stays silent for as long as the peer stays
};
/// At Armed: close the edge's listener, so that a SYN is answered by RST. Undone when the fault is cleared:
/// the listener is back on the same port.
struct StopListening {};

/// At BytesReady: what is forwarded leaves in pieces of at most `bytes`, each no earlier than the gap of the
/// piece before it; a smaller piece costs its share of the gap. At CallReached, stage `headers` (request
/// messages) or `response_headers`: the same for the DATA of that call and direction, until the fault is
/// cleared. Of several, each one's pace is kept (faults/pacer.h).
struct Pace {
  size_t bytes = 1;  // at least 1
  Duration gap{};
  bool keeps_rate = false;  // by how much a timer was late is made up for; else no gap is ever shorter
};
/// At BytesReady: of the chunk only the first `let_through` bytes go; the rest is read, acknowledged and
/// thrown away, and so is all that follows in that direction, also when the fault is over: a stream of bytes
/// has no holes. At ControlReached: the frame is accounted for and not passed on.
struct Swallow {
  size_t let_through = 0;
};
/// At BytesReady: bits of what is forwarded are flipped.
struct Corrupt {
  enum class Layer {
    bytes,         // any byte
    payload,       // of DATA (RFC 9113 §6.1); on an edge that is not HTTP/2 any byte
    field_block,   // of HEADERS and CONTINUATION (§6.2, §6.10)
    frame_header,  // the 9 octets of §4.1
  };
  Layer layer = Layer::bytes;
  uint64_t skip =
      0;  // so many bytes of the layer come before the first that is hit, by connection and direction
  uint64_t every = 0;  // then each so-many-th; 0: that one only
  uint8_t mask = 1;    // XORed with the byte
};
/// At Armed, ConnectionFound and ConnectionOffered: what one or both peers send is not delivered and, where
/// the kernel lets us, not acknowledged: a path that drops every packet, for SYNs too. Undone when the fault
/// is cleared; TCP retransmits. Of several, a way is open again when the last that closes it is cleared.
struct Isolate {
  bool request = true;   // what downstream sends
  bool response = true;  // what upstream sends
};
/// At ConnectionFound and ConnectionOffered, on HTTP/2: a GOAWAY of ours to the caller (RFC 9113 §6.8), as
/// soon as the upstream's SETTINGS have opened that direction.
struct SendGoaway {
  enum class Last {
    none_refused,  // two steps: 2^31-1, then, once the caller has answered a PING of ours, the last stream
                   // that was received, forwarded or not (gRFC A9's and C-core's graceful way)
    forwarded,     // at once the last stream of which anything was forwarded
  };
  enum class Then {
    drain,  // FIN to both peers when the last call is over
    close,  // FIN now
    stay,   // nothing
  };
  Http2Error code = Http2Error::no_error;
  std::string debug;
  Last last = Last::none_refused;
  Then then = Then::drain;
};
/// At ControlReached of SETTINGS: these values take the place of its own, or are added. At ConnectionFound,
/// on HTTP/2: SETTINGS of ours with them to `to_caller`'s side. When the fault is cleared, the last genuine
/// values are sent (RELAY.md rule 5).
struct EditSettings {
  std::map<uint16_t, uint32_t> values;  // identifier -> value (RFC 9113 §6.5.2)
  bool to_caller = true;                // what the service announces; else what the caller does
  size_t order = 0;  // its fault's place in the timeline (by FaultSet): of one value the last one's is seen
};
/// At CallReached: the call is answered as by something in the middle that does not speak gRPC: HEADERS with
/// `status` and `fields`, `body` as DATA, END_STREAM. At stage `headers` the upstream never sees the call.
struct AnswerHttp {
  int status = 502;
  Metadata fields;
  std::string body;
};
/// At `response_end`: the response ends with END_STREAM on an empty DATA frame in place of its trailers. A
/// response without initial HEADERS of its own (Trailers-Only) gets some.
struct DropTrailers {};
/// At `headers`, `response_headers` and `response_end`: fields are taken away, then others set and rewritten
/// (faults/edit_fields.h). No pseudo-fields.
struct EditFields {
  std::vector<std::string> remove;
  Metadata set;      // takes the place of every field of that name, or is added
  Metadata rewrite;  // the value of every field of that name that is there
};
/// At `request_message` and `response_message`: only the first `bytes` of the message, its 5-octet prefix
/// included, are forwarded, then END_STREAM (of a response: its trailers as they come). A message that is not
/// longer loses its last byte.
struct CutMessage {
  uint64_t bytes = 0;
};

using WireAction = std::variant<Forward, Delay, Hold, EndCall, WithholdResponse, ResetStream, ResetConnection,
                                CloseConnection, Mute, StopListening, Pace, Swallow, Corrupt, Isolate,
                                SendGoaway, EditSettings, AnswerHttp, DropTrailers, EditFields, CutMessage>;

// Process actions, performed by the harness.

struct Nothing {};
/// To the service's own process.
struct SendSignal {
  int number = SIGTERM;
};
/// SIGKILL to the process and every descendant (a database's backends too).
struct KillTree {};
/// SIGSTOP / SIGCONT to the process and every descendant.
struct StopTree {};
struct ContinueTree {};
/// Start the service again, with the same command and ports, and wait for its readiness. What still runs of
/// it is killed first.
struct StartAgain {};

/// prlimit(2) on the service's own process: the soft limits. What is not given stays.
struct SetLimits {
  std::optional<uint64_t> descriptors;    // RLIMIT_NOFILE
  std::optional<uint64_t> address_space;  // RLIMIT_AS, bytes
};
/// The limits it had before SetLimits.
struct RestoreLimits {};
/// StopTree for `stopped`, ContinueTree for `running`, over and over until the fault is cleared, which
/// continues it.
struct Throttle {
  Duration stopped{};
  Duration running{};
};
/// Runs a program beside the service until it ends or the fault is cleared; then SIGTERM to it and all it
/// started.
struct RunCommand {
  std::vector<std::string> argv;
};
/// Ends what RunCommand started.
struct EndCommand {};

using ProcessAction = std::variant<Nothing, SendSignal, KillTree, StopTree, ContinueTree, StartAgain,
                                   SetLimits, RestoreLimits, Throttle, RunCommand, EndCommand>;

/// "end_call", "delay", …: the action's name in events and reports.
std::string name_of(const WireAction& action);
std::string name_of(const ProcessAction& action);

/// Terminal actions decide what becomes of the event; the first one, in timeline order, wins. The others
/// (Forward, Delay and effects) go together.
bool is_terminal(const WireAction& action);

/// It changes how the event's bytes or frame are forwarded, or by what way, and leaves the rest to the faults
/// after it: Pace, Corrupt, EditFields, EditSettings, Isolate.
bool is_effect(const WireAction& action);

/// The answer is to be carried out at a later time, or on bytes that the chunk may not have: it is not a hit
/// before that.
bool comes_later(const WireAction& action);

}  // namespace breakwire::faults
