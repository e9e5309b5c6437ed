// Where those who see things happen hand them over. Pure interface; harness/run implements it and alone
// writes History.
#pragma once

#include "harness/history/event.h"

namespace breakwire::history {

class Sink {
 public:
  virtual ~Sink() = default;
  /// Thread-safe and quick: never blocks on I/O.
  virtual void record(Instant at, Payload what) = 0;
};

}  // namespace breakwire::history
