#include "faults/http2/stream_ids.h"

namespace breakwire::http2 {
namespace {

// Far more than streams in flight; a peer that resets without end makes no more than this.
constexpr size_t most_remembered = 4096;

}  // namespace

std::optional<StreamId> StreamIds::open(StreamId down) {
  const uint64_t up = std::max<uint64_t>(down, uint64_t{last_up_} == 0 ? 0 : uint64_t{last_up_} + 2);
  if (up > max_stream_id) return std::nullopt;
  if (same_ && up != down) {
    same_ = false;
    before_down_ = highest_down_;
  }
  last_up_ = static_cast<StreamId>(up);
  highest_down_ = std::max(highest_down_, down);
  if (!same_) {
    opened_.push_back({last_up_, highest_down_});
    if (opened_.size() > most_remembered) finished(opened_.front().up);
  }
  return last_up_;
}

std::optional<StreamId> StreamIds::reset_unopened(StreamId down) {
  if (!same_ || down <= last_up_) return std::nullopt;
  last_up_ = down;
  return down;
}

void StreamIds::finished(StreamId up) {
  while (!opened_.empty() && opened_.front().up <= up) {
    before_down_ = opened_.front().highest_down;
    opened_.pop_front();
  }
}

StreamId StreamIds::translate_last(StreamId last) const {
  if (same_) return std::max(last, answered_);
  // up(d) >= d always, and below the first difference they are equal. Forgotten streams count as processed:
  // those that are not and still live are refused one by one.
  StreamId highest = std::min(last, before_down_);
  for (const Opened& stream : opened_) {
    if (stream.up > last) break;
    highest = stream.highest_down;
  }
  return std::max(highest, answered_);
}

}  // namespace breakwire::http2
