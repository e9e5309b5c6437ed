// Somebody who looks at a service from outside, and records what is seen.
#pragma once

#include <string>

#include "harness/history/sink.h"

namespace breakwire::watch {

/// Constructed means looking; the destructor stops and waits. Must not outlive the sink it was given.
class Watcher {
 public:
  virtual ~Watcher() = default;

  /// Returns when everything that was there to be seen at `since`, a moment ago, is recorded; at `deadline` at
  /// the latest. For those who look at what lags behind the wire.
  virtual void catch_up(Instant since, Instant deadline) {
    static_cast<void>(since);
    static_cast<void>(deadline);
  }

  /// What a reader of the report should know of the looking itself; empty: nothing.
  virtual std::string note() const { return {}; }
};

}  // namespace breakwire::watch
