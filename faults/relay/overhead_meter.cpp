#include "faults/relay/overhead_meter.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace breakwire::relay {

unsigned OverheadMeter::bucket_of(uint64_t nanoseconds) {
  if (nanoseconds < steps) return static_cast<unsigned>(nanoseconds);
  const auto exponent = static_cast<unsigned>(std::bit_width(nanoseconds)) - 5;  // leaves 16..31
  return exponent * steps + static_cast<unsigned>(nanoseconds >> exponent);
}

double OverheadMeter::upper_bound_of(unsigned bucket) {
  if (bucket < 2 * steps) return bucket;
  const unsigned exponent = bucket / steps - 1;
  const uint64_t mantissa = bucket - uint64_t{exponent} * steps;
  return std::ldexp(static_cast<double>(mantissa + 1), static_cast<int>(exponent)) - 1;
}

void OverheadMeter::add(Duration spent) {
  const auto nanoseconds = static_cast<uint64_t>(std::max<int64_t>(0, spent.count()));
  buckets_[bucket_of(nanoseconds)] += 1;
  samples_ += 1;
  max_ = std::max(max_, nanoseconds);
}

double OverheadMeter::quantile(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(samples_)));
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(upper_bound_of(bucket), static_cast<double>(max_));
  }
  return static_cast<double>(max_);
}

Overhead OverheadMeter::summary() const {
  if (samples_ == 0) return {};
  return {.samples = samples_,
          .p50_us = quantile(0.50) / 1000,
          .p99_us = quantile(0.99) / 1000,
          .max_us = static_cast<double>(max_) / 1000};
}

}  // namespace breakwire::relay
