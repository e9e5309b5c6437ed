// Percentiles, the one way they are taken everywhere. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace breakwire::checks {

/// Nearest rank: the index, in `count` sorted samples (at least one), of the smallest that a share (0 to 1)
/// of all samples does not exceed. The guard keeps 0.9 * 10 from being a little more than 9.
inline size_t nearest_rank(size_t count, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(count) - 1e-9));
  return std::clamp<size_t>(rank, 1, count) - 1;
}

}  // namespace breakwire::checks
