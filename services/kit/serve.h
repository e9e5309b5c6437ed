#pragma once
// The life of a service process: listen, serve, and on SIGTERM say so, drain and leave. Owns the server.

#include <vector>

#include "services/kit/health.h"
#include "services/kit/interceptors.h"
#include "services/kit/open_streams.h"
#include "services/kit/options.h"

namespace breakwire::kit {

/// SIGTERM and SIGINT, taken by `wait` instead of by a handler. To be made first thing in main: threads
/// inherit what it sets. Also makes SIGPIPE harmless. With the flaw no-drain the signals are left to kill the
/// process.
class StopSignal {
 public:
  explicit StopSignal(Flaws flaws);
  /// Returns when one of them has come. Those that come later change nothing.
  void wait() const;

 private:
  const bool deadly_;
};

/// Serves `services`, health and reflection, and metrics where the options say so, until
/// `stop`, then:
/// readiness NOT_SERVING at once; calls still accepted for `lame_duck`; `streams` asked to leave; GOAWAY;
/// calls in flight finish. Returns the exit code: 0 after a full drain, 1 when calls had to be cut off at the
/// end of `grace`, 2 when it could not listen (said on stderr). Should something hang beyond the grace, the
/// process is ended with 1 all the same.
int serve(const Options& options, const StopSignal& stop, CallLog& log, Health& health,
          const std::vector<grpc::Service*>& services, OpenStreams* streams = nullptr);

}  // namespace breakwire::kit
