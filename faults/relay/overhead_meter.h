// How long bytes spend inside the relay when nothing disturbs them: a histogram of fixed size. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "base/duration.h"
#include "faults/relay/network.h"

namespace breakwire::relay {

/// Logarithmic buckets, 16 to each power of two: quantiles are exact within 1/16.
class OverheadMeter {
 public:
  void add(Duration spent);
  Overhead summary() const;

 private:
  static constexpr unsigned steps = 16;
  static unsigned bucket_of(uint64_t nanoseconds);
  static double upper_bound_of(unsigned bucket);  // in nanoseconds
  double quantile(double share) const;

  std::array<uint64_t, 64 * steps> buckets_{};
  uint64_t samples_ = 0;
  uint64_t max_ = 0;
};

}  // namespace breakwire::relay
