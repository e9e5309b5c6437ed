// What waits to be written to one peer: bytes in order, each with the time a fault lets it go. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/ids.h"
#include "faults/pacer.h"

namespace breakwire::relay {

using faults::Pacer;
using faults::Pacing;

/// Order is never changed: an item leaves after all before it, however early its own time is, so a delay with
/// jitter can only stretch gaps. Delays are pipelined: each item's time counts from its own arrival. A pace
/// is kept behind the delays, as bytes leave.
class Egress {
 public:
  enum class Kind { bytes, fin, reset };
  /// What the faults said about an item.
  struct Terms {
    Duration delay{};
    std::vector<FaultId> delayed_by;
    FaultId held_by;  // until that fault is cleared
    std::vector<Pacing> paces;
    bool none() const {
      return delay == Duration::zero() && held_by.empty() && delayed_by.empty() && paces.empty();
    }
  };
  struct Front {
    Kind kind = Kind::bytes;
    std::string_view bytes;  // valid until the next call that is not const
  };

  void push(std::string_view bytes, const Terms& terms, Instant now);
  /// The last item: FIN after all bytes; or RST, which waits for its time but not for bytes that only the
  /// peer's slowness keeps back.
  void push_end(Kind kind, const Terms& terms, Instant now);
  /// What may leave now: an end, or as many bytes of the first item as its pace allows.
  std::optional<Front> front(Instant now) const;
  /// So many bytes of the front have left; all of them, or an end: the item is gone.
  void consume(size_t count, Instant now);
  /// A RST is queued and, once what `front` gives is offered to the peer, nothing but its slowness holds the
  /// RST or what is before it.
  bool reset_due(Instant now) const;
  /// When the front may leave, if only time keeps it.
  std::optional<Instant> next_release(Instant now) const;
  /// Does a fault, rather than the peer's slowness, keep anything back?
  bool kept_by_fault(Instant now) const;

  /// Does the first item leave piece by piece?
  bool paced() const {
    return !items_.empty() && items_.front().kind == Kind::bytes && !items_.front().terms.paces.empty();
  }
  /// Is more to be taken for this peer? What is held, or not read by it, is bounded by 1 MiB. A delay may
  /// keep 4 MiB under way, as kernels' windows on a long wire would; what a pace keeps is about what it lets
  /// go in 20 ms, so that the sender feels it.
  bool has_room(Instant now) const;

  /// A fault is over: items that it held, delayed or paced are asked about again (of an end: 0 bytes). Held
  /// ones count from `now`, as if they arrived only now; the others from their arrival, so what only that
  /// fault kept back flows at once.
  struct Queued {
    std::span<char> bytes;  // may be changed
    size_t gone = 0;        // how many of them have left
    uint64_t from_end = 0;  // the queue's bytes from the item's first to the last
  };
  using Ask = std::function<Terms(const Queued& item)>;
  void reconsider(const FaultId& fault, Instant now, const Ask& ask);
  /// The last so many bytes are not to leave, as far as they have not.
  void drop_last(uint64_t count);

  bool empty() const { return items_.empty(); }
  bool ended() const { return !items_.empty() && items_.back().kind != Kind::bytes; }
  /// Memory in use: bytes, and what keeping them costs.
  size_t weight() const { return weight_; }
  void clear();

 private:
  struct Item {
    Kind kind = Kind::bytes;
    std::string bytes;
    Instant arrived;
    Instant release;
    Terms terms;
    bool due(Instant now) const { return terms.held_by.empty() && release <= now; }
  };
  bool only_delayed(Instant now) const;
  bool has_paced_room() const;

  std::deque<Item> items_;
  Pacer pacer_;
  size_t offset_ = 0;  // of the front's bytes, already gone
  size_t weight_ = 0;
};

}  // namespace breakwire::relay
