// How often something happens. Pure.
#pragma once

#include <cstddef>

#include "base/duration.h"

namespace breakwire::http2 {

class PerSecond {
 public:
  /// Counts one more; how many that makes since the second began.
  size_t count(Instant now) {
    if (now - since_ >= 1s) {
      since_ = now;
      count_ = 0;
    }
    return ++count_;
  }

 private:
  Instant since_{};
  size_t count_ = 0;
};

}  // namespace breakwire::http2
