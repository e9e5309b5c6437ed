// The two closed vocabularies in which faults answer. A new verb here is a design decision, see
// docs/decisions/.
#pragma once

#include <csignal>
#include <string>
#include <variant>

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
struct ResetConnection {};
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

using WireAction = std::variant<Forward, Delay, Hold, EndCall, WithholdResponse, ResetStream, ResetConnection,
                                CloseConnection, Mute, StopListening>;

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

using ProcessAction = std::variant<Nothing, SendSignal, KillTree, StopTree, ContinueTree, StartAgain>;

/// "end_call", "delay", …: the action's name in events and reports.
std::string name_of(const WireAction& action);
std::string name_of(const ProcessAction& action);

/// Terminal actions decide what becomes of the event; the first one, in timeline order, wins.
bool is_terminal(const WireAction& action);

/// The answer is to be carried out at a later time, and by then it may not be: it is not a hit yet.
bool comes_later(const WireAction& action);

}  // namespace breakwire::faults
