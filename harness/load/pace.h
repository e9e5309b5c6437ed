// When the next call of a load begins: an open model by the clock, a closed one when a slot is free. Pure: it
// is told what time it is.
#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "base/duration.h"
#include "harness/scenario/scenario.h"

namespace breakwire::load {

/// A closed load whose call failed leaves the slot idle so long, or a refused connection would be a busy
/// loop.
constexpr Duration pause_after_failure = 10ms;

class Pace {
 public:
  Pace(const scenario::Load& load, Instant begin) : load_(load), begin_(begin) {
    if (load_.model == scenario::LoadModel::closed) {
      for (unsigned i = 0; i < load_.concurrency; ++i) slots_.push(begin);
    }
  }

  /// When call number `issued + 1` is due; `never` when only the end of another call can say; nullopt when
  /// there will be no further call.
  std::optional<Instant> next(Instant now) const {
    if (load_.calls && issued_ >= *load_.calls) return std::nullopt;
    if (load_.model == scenario::LoadModel::closed) {
      if (now >= end()) return std::nullopt;
      return slots_.empty() ? never : slots_.top();
    }
    // From the first call, not from the last one: rounding does not add up.
    const double seconds = static_cast<double>(issued_) / load_.rate.per_second;
    const Instant due = begin_ + Duration(static_cast<Duration::rep>(seconds * 1e9));
    return due < end() ? std::optional(due) : std::nullopt;
  }

  void issued() {
    ++issued_;
    if (!slots_.empty()) slots_.pop();
  }

  void ended(Instant now, bool failed) {
    if (load_.model == scenario::LoadModel::closed) slots_.push(failed ? now + pause_after_failure : now);
  }

  /// No call begins from here on.
  Instant end() const { return load_.length ? begin_ + *load_.length : never; }

  static constexpr Instant never = Instant::max();

 private:
  const scenario::Load& load_;
  Instant begin_;
  uint64_t issued_ = 0;
  std::priority_queue<Instant, std::vector<Instant>, std::greater<>> slots_;  // free from this time on
};

}  // namespace breakwire::load
