// Tells what was seen in the order in which it happened, with both times where they are known in the same
// turn (see faults/observation.h). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "faults/http2/session.h"
#include "faults/observation.h"

namespace breakwire::http2 {

struct ObservationLine;

/// An observation of a frame waits in line until the frame is written, but no longer than its turn (`flush`):
/// then it is told without `forwarded`, and a Forwarded follows when the frame leaves. Observations behind it
/// wait with it, so the order of the tale is that of events.
class ObservationLog {
 public:
  using Tell = std::function<void(faults::Observation&&)>;
  /// Names one observation of a frame; 0 is none.
  using Ticket = uint64_t;

  /// `line`, which logs used by one thread may share, outlives this; without it there is one of its own.
  ObservationLog(EdgeId edge, ConnectionId connection, Tell tell, ObservationLine* line = nullptr);

  /// Not of a frame, or of a frame that is never forwarded.
  template <class Seen>
  void add(Seen seen) {
    stand_in_line(std::move(seen));
  }
  /// Of a frame that may leave now, later, or never.
  template <class Seen>
  Ticket open(Seen seen) {
    stand_in_line(std::move(seen)).leaving = Leaving::undecided;
    return first_ + (line_.size() - told_) - 1;
  }
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
  friend struct ObservationLine;
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
  template <class Seen>
  Entry& stand_in_line(Seen&& seen) {
    if (line_.capacity() == 0) borrow_line();
    line_.emplace_back().observation.template emplace<std::decay_t<Seen>>(std::forward<Seen>(seen));
    return line_.back();
  }
  void borrow_line();
  void tell_first();
  void tell_ready();

  EdgeId edge_;
  ConnectionId connection_;
  Tell tell_;
  ObservationLine* shared_;
  std::vector<Entry> line_;
  size_t told_ = 0;                                      // so many at its front are told already
  Ticket first_ = 1;                                     // of the first that is not
  std::array<std::multimap<uint64_t, Later>, 2> later_;  // by offset, per side
  std::array<uint64_t, 2> written_{};
};

/// Where observations stand in line: needed during a turn only, so that a connection that is merely open need
/// not keep one.
struct ObservationLine {
  std::vector<ObservationLog::Entry> entries;
};

}  // namespace breakwire::http2
