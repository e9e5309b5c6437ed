// What a wire fault is asked about. Pure data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/duration.h"
#include "base/ids.h"
#include "faults/metadata.h"

namespace breakwire::faults {

/// The way bytes travel: request from downstream (the dialler) to upstream, response back.
enum class Direction { request, response };

/// How far a call has come on an edge when a fault is asked about it.
enum class Stage {
  headers,           // the request's HEADERS arrived; nothing was forwarded yet
  request_message,   // a whole request message's last byte is about to be forwarded
  request_end,       // END_STREAM of the request
  response_headers,  // the response's initial HEADERS arrived from upstream
  response_message,  // a whole response message's last byte is about to be forwarded
  response_end,      // trailers (or Trailers-Only): the upstream has finished the call
};

/// A call as the wire shows it: one HTTP/2 stream, so one attempt.
struct CallFacts {
  ConnectionId connection;
  StreamId stream = 0;
  std::string method;               // "pkg.Service/Method", no leading slash
  Metadata metadata;                // the request's fields, pseudo-fields included
  std::optional<Duration> timeout;  // grpc-timeout, decoded
  unsigned previous_attempts = 0;   // grpc-previous-rpc-attempts (gRFC A6)
  std::string trace_id;             // 32 hex digits of a valid traceparent, or empty
};

/// The fault takes effect on its edge. Asked once, before any traffic.
struct Armed {
  Instant at;
};
/// The fault's time is over. What it held is released by the relay itself; the answer may add to that.
struct Cleared {
  Instant at;
};
/// A downstream peer has connected; nothing was read or dialled yet.
struct ConnectionOffered {
  ConnectionId connection;
};
/// A connection that existed when the fault was armed. Asked once for each, right after Armed.
struct ConnectionFound {
  ConnectionId connection;
};
/// A chunk of the serialised stream is about to be forwarded (control frames included); with `count` 0 a FIN
/// or RST, which travels behind the bytes. Asked again about what a cleared fault had held or delayed.
struct BytesReady {
  ConnectionId connection;
  Direction direction = Direction::request;
  size_t count = 0;
  uint64_t passed = 0;  // bytes that went before it in this direction since the fault first saw some
};
enum class ControlFrame { settings, ping, ping_ack, window_update, goaway };
/// A peer's control frame is about to be passed on, on HTTP/2 (SETTINGS ACKs are never asked about; nor is
/// what the relay says itself). What is held keeps back the frames of its own kind only, and leaves in order
/// when the fault is cleared; WINDOW_UPDATEs, which need no order, then leave as one increment for each
/// window.
struct ControlReached {
  ConnectionId connection;
  Direction direction = Direction::request;  // the way the frame travels
  ControlFrame frame = ControlFrame::ping;
  StreamId stream = 0;  // of WINDOW_UPDATE; 0: the connection
};
/// A call has reached a stage.
struct CallReached {
  Stage stage = Stage::headers;
  const CallFacts* call = nullptr;  // never null; valid during the question only
  uint64_t message = 0;             // index of the message, from 0, at the message stages
  // What the frame says that made the call reach the stage, as the faults before this one leave it; null when
  // it is not HEADERS. Valid as long as `call`.
  const Metadata* fields = nullptr;
  // At the message stages: the message has only begun, and its bytes would leave before its last one is
  // there. Only CutMessage is heeded, with the delays before it; otherwise faults are asked again at the last
  // byte.
  bool early = false;
  // What kept it there is over: the fault whose answer counted was cleared, and those behind it were not asked.
  bool again = false;
};

using WireEvent =
    std::variant<Armed, Cleared, ConnectionOffered, ConnectionFound, BytesReady, CallReached, ControlReached>;

}  // namespace breakwire::faults
