#include "faults/pacer.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace breakwire::faults {
namespace {

/// A smaller piece costs its share of the gap.
Duration cost_of(size_t used, const Pace& pace) {
  if (used >= pace.bytes) return pace.gap;
  return Duration{static_cast<Duration::rep>(static_cast<double>(pace.gap.count()) *
                                             static_cast<double>(used) / static_cast<double>(pace.bytes))};
}

}  // namespace

double rate_of(const std::vector<Pacing>& paces) {
  double rate = std::numeric_limits<double>::infinity();
  for (const auto& [by, pace] : paces) {
    if (pace.gap <= Duration::zero()) continue;
    rate = std::min(rate, static_cast<double>(pace.bytes) * 1e9 / static_cast<double>(pace.gap.count()));
  }
  return rate;
}

const Pacer::Piece* Pacer::find(const FaultId& by) const {
  const auto found =
      std::find_if(pieces_.begin(), pieces_.end(), [&](const Piece& piece) { return piece.by == by; });
  return found == pieces_.end() ? nullptr : &*found;
}

size_t Pacer::allowance(const std::vector<Pacing>& paces, Instant now) const {
  size_t least = std::numeric_limits<size_t>::max();
  for (const auto& [by, pace] : paces) {
    assert(pace.bytes > 0);
    const Piece* piece = find(by);
    const bool fresh = piece == nullptr || now >= piece->begin + cost_of(piece->used, pace);
    least = std::min(least, fresh ? pace.bytes : pace.bytes - std::min(piece->used, pace.bytes));
  }
  return least;
}

Instant Pacer::next(const std::vector<Pacing>& paces) const {
  Instant latest = Instant::min();
  for (const auto& [by, pace] : paces) {
    const Piece* piece = find(by);
    if (piece != nullptr && piece->used >= pace.bytes) latest = std::max(latest, piece->begin + pace.gap);
  }
  return latest;
}

void Pacer::left(const std::vector<Pacing>& paces, size_t count, Instant ready, Instant now) {
  for (const auto& [by, pace] : paces) {
    const auto of_it = [&fault = by](const Piece& one) { return one.by == fault; };
    auto piece = std::find_if(pieces_.begin(), pieces_.end(), of_it);
    if (piece == pieces_.end()) piece = pieces_.insert(piece, {.by = by, .begin = Instant::min(), .used = 0});
    const Instant due = piece->begin + cost_of(piece->used, pace);
    if (now >= due) {
      const Duration late = pace.keeps_rate ? made_up : Duration::zero();
      piece->begin = std::max({due, ready, now - late});
      piece->used = 0;
    }
    piece->used += count;
  }
}

void Pacer::forget(const FaultId& by) {
  std::erase_if(pieces_, [&](const Piece& piece) { return piece.by == by; });
}

}  // namespace breakwire::faults
