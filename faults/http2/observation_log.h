// Tells what was seen in the order in which it happened, with both times where they are known in the same
// turn (see faults/observation.h). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "faults/http2/session.h"
#include "faults/observation.h"

namespace breakwire::http2 {

/// An observation of a frame waits in line until the frame is written, but no longer than its turn (`flush`):
/// then it is told without `forwarded`, and a Forwarded follows when the frame leaves. Observations behind it
/// wait with it, so the order of the tale is that of events.
class ObservationLog {
 public:
  using Tell = std::function<void(faults::Observation)>;
  /// Names one observation of a frame; 0 is none.
  using Ticket = uint64_t;

  ObservationLog(EdgeId edge, ConnectionId connection, Tell tell);

  /// Not of a frame, or of a frame that is never forwarded.
  void add(faults::Observation observation);
  /// Of a frame that may leave now, later, or never.
  Ticket open(faults::Observation observation);
  /// The frame now ends at `offset` of what goes to `to`. `kind` and `stream` are for the Forwarded, if one
  /// is needed; without `kind` (messages, pings) none is told.
  void leaves(Ticket ticket, Side to, uint64_t offset, StreamId stream,
              std::optional<faults::FrameKind> kind);
  /// All bytes before `total` are on the peer's socket.
  void written(Side to, uint64_t total, Instant now);
  /// The end of one of the session's own functions: frames that have not left are told as such.
  void settle();
  /// The end of the owner's turn: everything is told.
  void flush();

 private:
  enum class Leaving { no, undecided, yes };
  struct Entry {
    faults::Observation observation;
    Leaving leaving = Leaving::no;
    bool known = false;  // `forwarded` is filled in
    Side to = Side::upstream;
    uint64_t offset = 0;
    StreamId stream = 0;
    std::optional<faults::FrameKind> kind;
  };
  struct Later {
    StreamId stream = 0;
    faults::FrameKind kind = faults::FrameKind::call_started;
  };
  void tell_ready();

  EdgeId edge_;
  ConnectionId connection_;
  Tell tell_;
  std::deque<Entry> line_;
  Ticket first_ = 1;                                     // of the entry at the front
  std::array<std::multimap<uint64_t, Later>, 2> later_;  // by offset, per side
  std::array<uint64_t, 2> written_{};
};

}  // namespace breakwire::http2
