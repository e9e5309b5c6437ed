// Seeded randomness that is the same on every machine and in every library version. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace breakwire {

/// splitmix64 (Steele, Lea, Flood 2014). No `std::` distribution is used anywhere: they differ between
/// libraries.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

 private:
  uint64_t state_;
};

/// Mixes text and numbers into a seed; FNV-1a over the bytes, then a splitmix finaliser.
uint64_t mix(uint64_t seed, std::string_view text);
uint64_t mix(uint64_t seed, uint64_t number);

}  // namespace breakwire
