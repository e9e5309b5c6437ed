#include "base/rng.h"

namespace breakwire {
namespace {

uint64_t finalise(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t Rng::next() { return finalise(state_ += 0x9e3779b97f4a7c15ULL); }

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

uint64_t mix(uint64_t seed, std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ finalise(seed);
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3ULL;
  return finalise(hash ^ text.size());
}

uint64_t mix(uint64_t seed, uint64_t number) {
  return finalise(finalise(seed) + 0x9e3779b97f4a7c15ULL * (number + 1));
}

}  // namespace breakwire
