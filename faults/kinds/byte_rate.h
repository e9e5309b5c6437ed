// Bytes per second, as files write them, and the pace that keeps such a rate. Pure.
#pragma once

#include "base/described.h"
#include "faults/action.h"

namespace breakwire::faults {

/// Written "100kB/s", "1.5MiB/s", "8Mbit/s": more than 0.
struct ByteRate {
  double per_second = 1;
  bool operator==(const ByteRate&) const = default;
};

/// Pieces of what the rate lets go in 1 ms, or of one byte if that is less.
Pace pace_of(const ByteRate& rate);

}  // namespace breakwire::faults

namespace breakwire {

template <>
struct Codec<faults::ByteRate> {
  static bool read(const json::Value& value, faults::ByteRate& out, ErrorList& errors);
  static json::Value schema();
  static std::string type();
  static std::string show(const faults::ByteRate& value);
};

}  // namespace breakwire
