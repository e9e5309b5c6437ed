// Somebody who looks at a service from outside, and records what is seen.
#pragma once

#include "harness/history/sink.h"

namespace breakwire::watch {

/// Constructed means looking; the destructor stops and waits. Must not outlive the sink it was given.
class Watcher {
 public:
  virtual ~Watcher() = default;
};

}  // namespace breakwire::watch
