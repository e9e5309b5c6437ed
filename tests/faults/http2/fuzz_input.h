// How the fuzz targets of this folder take their input apart.
#pragma once

#include <algorithm>
#include <cstdint>

#include "faults/http2/frame.h"

namespace breakwire::http2::testing {

/// Reads the input by small numbers and runs of bytes; zeroes when it is used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}
  bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  Bytes run(size_t n) {
    const Bytes run = rest_.first(std::min(n, rest_.size()));
    rest_ = rest_.subspan(run.size());
    return run;
  }

 private:
  Bytes rest_;
};

}  // namespace breakwire::http2::testing
