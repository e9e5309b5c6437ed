// The flow-control ledger of one direction, for the connection or for one stream (RELAY.md rule 2). Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "faults/http2/frame.h"

namespace breakwire::http2 {

/// What the sender may send and what the receiver accepts. Undisturbed, granted + buffered == room: every
/// increment of the receiver is the sender's. Whatever the relay does to DATA shows as a difference, and
/// `credit_due` says what makes it good:
///
/// - DATA swallowed: the receiver will never open the window again for it, so its size is due at once;
/// - DATA held, with `advance` that much: due at once too; once it is forwarded, the receiver's increments
/// repay
///   that before any is due again;
/// - DATA injected: it took of the receiver's room, whose increments for it are not the sender's.
///
/// What a fault withholds of the receiver's increments is kept apart and never due, so that what the relay
/// has to make good is paid all the same. A fault may make the sender believe in another initial window than
/// the receiver has. What a larger one lets in waits for room. In a smaller one the receiver, which knows
/// nothing of it, would see no reason to open the window again: what was forwarded is given back for it as
/// long as there is room, and its increments repay that.
class FlowLedger {
 public:
  explicit FlowLedger(int64_t window) : FlowLedger(window, window) {}
  /// The sender was told of another initial window than the receiver has.
  FlowLedger(int64_t told, int64_t window) : granted_(told), room_(window), told_(told), window_(window) {}

  /// DATA was read: `buffered` while the relay has it.
  void received(int64_t n) { granted_ -= n; }
  void buffer(int64_t n) { buffered_ += n; }
  /// DATA left the buffer towards the receiver.
  void forwarded(int64_t n) {
    buffered_ -= n;
    room_ -= n;
  }
  /// DATA left the buffer for nowhere.
  void discarded(int64_t n) { buffered_ -= n; }
  void injected(int64_t n) { room_ -= n; }
  /// The receiver's WINDOW_UPDATE. Sums far beyond what HTTP/2 allows are cut, for they are passed on to be
  /// judged by the sender.
  void opened(int64_t n) { room_ = std::min(room_ + n, 1024 * max_window); }
  /// A change of INITIAL_WINDOW_SIZE, in force from the sender's acknowledgement on: of what the sender was
  /// told, and of what the receiver has.
  void shifted(int64_t told, int64_t window) {
    granted_ += told;
    told_ += told;
    room_ += window;
    window_ += window;
  }
  /// So much of what is due is a fault's to keep from the sender; negative: not any more.
  void withhold(int64_t n) { withheld_ += n; }

  /// The increment due to the sender, when the relay advances `advance` bytes; one frame's worth at most.
  int64_t credit_due(int64_t advance = 0) const {
    const int64_t kept = buffered_ + granted_ + withheld_;
    int64_t due = room_ + advance - (window_ - told_) - kept;
    if (narrowed()) due = std::max(due, std::min(room_, told_) - kept);
    return std::clamp<int64_t>(due, 0, max_window);
  }
  /// A WINDOW_UPDATE went to the sender.
  void credited(int64_t n) { granted_ += n; }

  /// The sender was told of a smaller initial window than the receiver has: DATA that was forwarded is due.
  bool narrowed() const { return told_ < window_; }
  int64_t granted() const { return granted_; }
  int64_t room() const { return room_; }
  int64_t buffered() const { return buffered_; }

 private:
  int64_t granted_;
  int64_t room_;
  int64_t buffered_ = 0;
  int64_t withheld_ = 0;
  int64_t told_;    // the initial window as the sender knows it
  int64_t window_;  // and as the receiver does
};

}  // namespace breakwire::http2
