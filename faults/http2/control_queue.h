// A peer's control frames that faults hold or delay on their way to the other peer. Pure.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faults/http2/frame.h"
#include "faults/http2/observation_log.h"
#include "faults/wire_event.h"

namespace breakwire::http2 {

struct WaitingFrame {
  faults::ControlFrame kind = faults::ControlFrame::ping;
  FrameHeader header;
  std::string payload;  // as it came
  ObservationLog::Ticket ticket = 0;
  int64_t withheld = 0;  // of WINDOW_UPDATE: what of its increment is kept from the sender of DATA

  Instant due;                                       // not before
  FaultId held_by;                                   // not before this fault is cleared; empty: none holds it
  std::vector<std::pair<FaultId, Duration>> delays;  // what `due` is made of, for when one of them is cleared
};

/// Frames of one kind keep their order; those of other kinds pass them. Increments of the window add up, so
/// WINDOW_UPDATEs need no order, and those that a fault holds are kept as sums.
class ControlQueue {
 public:
  /// A frame of this kind must wait, for one of its kind does.
  bool waits(faults::ControlFrame kind) const;
  void push(WaitingFrame frame);
  /// The sender of `header.stream`'s WINDOW_UPDATEs is kept from so much more by the fault.
  void freeze(StreamId stream, const FaultId& by, int64_t increment);
  /// The fault was cleared: it neither holds nor delays any frame. Answers the sums that it froze, by stream.
  std::vector<std::pair<StreamId, int64_t>> withdraw(const FaultId& fault);
  /// Takes out the next frame that may leave at `now`.
  std::optional<WaitingFrame> next(Instant now);
  /// When the next one may leave, unless a fault has to be cleared first.
  std::optional<Instant> next_due() const;
  /// The stream is over: nothing is owed for it any more.
  void forget(StreamId stream);
  void clear();
  /// Frames; sums do not count.
  size_t size() const { return frames_.size(); }

 private:
  std::list<WaitingFrame> frames_;
  std::map<std::pair<StreamId, FaultId>, int64_t> frozen_;
};

}  // namespace breakwire::http2
