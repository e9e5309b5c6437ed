// Stream ids on both sides of the relay (RELAY.md rule 6) and the translation of GOAWAY's last id (rule 7).
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "faults/http2/frame.h"

namespace breakwire::http2 {

class StreamIds {
 public:
  /// The upstream's id for a downstream stream whose HEADERS leave now: max(down, last + 2). Nothing when the
  /// ids are used up.
  std::optional<StreamId> open(StreamId down);
  /// The upstream's id for a stream that its client resets without having opened it. Nothing when the ids
  /// differ by now: no id of the upstream's stands for it.
  std::optional<StreamId> reset_unopened(StreamId down);
  /// The relay itself has answered this stream: a GOAWAY must not call it unprocessed.
  void answered(StreamId down) { answered_ = std::max(answered_, down); }
  /// The upstream has finished with this stream, so its GOAWAY cannot be below.
  void finished(StreamId up);

  StreamId last_up() const { return last_up_; }
  /// The highest downstream id of which anything was forwarded, or that was answered.
  StreamId highest_processed() const { return std::max(highest_down_, answered_); }
  /// max{d : up(d) <= last, or answered by us}, where `last` is not 2^31-1. While the ids are the same on
  /// both sides it is `last` itself: streams to come are numbered alike.
  StreamId translate_last(StreamId last) const;

 private:
  struct Opened {
    StreamId up = 0;
    StreamId highest_down = 0;  // of this one and all before
  };
  bool same_ = true;  // up == down for every stream so far
  StreamId last_up_ = 0;
  StreamId highest_down_ = 0;
  StreamId answered_ = 0;
  std::deque<Opened> opened_;  // in order of `up`; from the first difference on
  StreamId before_down_ = 0;   // the highest downstream id of the streams before those
};

}  // namespace breakwire::http2
