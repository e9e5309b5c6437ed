// The calls of a service as it must know them itself, told from the wire. Pure.
#pragma once

#include <vector>

#include "harness/checks/check.h"

namespace breakwire::checks {

/// A call whose HEADERS were written to the service.
struct ServedCall {
  enum class Ending {
    answered,  // the service sent its trailers
    given_up,  // its caller reset it
    cut,       // its connection, a fault or the service itself reset it
    open,      // not over when breakwire began to stop everything
  };
  const history::Attempt* attempt = nullptr;
  Ending ending = Ending::open;
  Instant given;  // when the HEADERS were written to the service
  Instant over;   // when its answer was read, or its end was written to it
  /// The service must have noticed it. Not when it is open; when it was refused unprocessed (REFUSED_STREAM);
  /// when it was given up or cut within 50 ms, or while the process was stopped (a server that reads a call
  /// together with its end need not begin it, and a TCP reset takes what was not read yet with it); and not
  /// when the process was killed before or soon after its end, for what it had not told by then is gone.
  bool certain = false;
  /// The process was stopped (SIGSTOP) for some of its time.
  bool stopped = false;
};

/// On all edges to the service, in the order they were given; health and reflection left out.
std::vector<ServedCall> calls_served(const ServiceId& service, const Question& question);

}  // namespace breakwire::checks
