// When paced bytes may leave: pieces and gaps, counted in absolute times. Pure.
#pragma once

#include <vector>

#include "base/duration.h"
#include "base/ids.h"
#include "faults/action.h"

namespace breakwire::faults {

/// What one fault says about the pace of some bytes.
struct Pacing {
  FaultId by;
  Pace pace;
};

/// How many bytes a second all of them together let through; infinite when none of them limits that.
double rate_of(const std::vector<Pacing>& paces);

/// The paces of one direction of a connection or a call, each kept for itself. A piece may be put together
/// from several writes as long as its gap has not passed, and the next one counts from the time at which this
/// one was due.
///
/// Where a rate is kept (Pace::keeps_rate), pieces that a late timer or a busy machine held up follow at
/// once, for up to `made_up`, so errors of single timers do not add up. Other gaps are what the receiver is
/// to see: nothing is made up for. Time without bytes, or with a peer that takes none for longer, is not
/// saved up.
class Pacer {
 public:
  static constexpr Duration made_up = 50ms;

  /// So many bytes may leave now; 0: none before `next`.
  size_t allowance(const std::vector<Pacing>& paces, Instant now) const;
  /// When the allowance is more than 0.
  Instant next(const std::vector<Pacing>& paces) const;
  /// At most the allowance has left. But for the paces, it could have done so from `ready` on.
  void left(const std::vector<Pacing>& paces, size_t count, Instant ready, Instant now);
  /// The fault is over.
  void forget(const FaultId& by);

 private:
  /// The piece that began last.
  struct Piece {
    FaultId by;
    Instant begin;  // when it was due
    size_t used = 0;
  };
  const Piece* find(const FaultId& by) const;

  std::vector<Piece> pieces_;
};

}  // namespace breakwire::faults
