// The ids a call is stamped with: pure functions of (seed, load, call number), so that a replay names the
// same calls.
#include "base/rng.h"
#include "harness/load/load.h"

namespace breakwire::load {
namespace {

std::string hex(uint64_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) text[i] = digits[value & 15];
  return text;
}

// All-zero trace and parent ids are invalid (W3C Trace Context §3.2.2.3, §3.2.2.4).
uint64_t not_zero(uint64_t value) { return value == 0 ? 1 : value; }

}  // namespace

CallIds ids_of(uint64_t seed, const LoadId& load, uint64_t number) {
  Rng rng(mix(mix(seed, load.text), number));
  CallIds ids;
  ids.call_id = load.text + "-" + std::to_string(number);
  ids.trace_id = hex(rng.next());
  ids.trace_id += hex(not_zero(rng.next()));
  ids.span_id = hex(not_zero(rng.next()));
  // RFC 9562 §5.4: version 4 in the high nibble of octet 6, variant 10 in the top bits of octet 8.
  const std::string high = hex((rng.next() & ~0xf000ULL) | 0x4000ULL);
  const std::string low = hex((rng.next() & ~(3ULL << 62)) | (2ULL << 62));
  ids.uuid = high.substr(0, 8) + "-" + high.substr(8, 4) + "-" + high.substr(12, 4) + "-" + low.substr(0, 4) +
             "-" + low.substr(4);
  return ids;
}

}  // namespace breakwire::load
