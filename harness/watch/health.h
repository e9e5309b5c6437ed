// Polls grpc.health.v1 of a service from outside, on a connection of its own. Records HealthSeen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/watch/watcher.h"

namespace breakwire::watch {

struct HealthOptions {
  ServiceId service;
  std::string target;              // host:port of the control edge
  std::vector<std::string> names;  // health service names; each is asked every period
  Duration period = 50ms;
  Duration timeout = 250ms;  // of one Check; no answer by then is `unreachable`
};

/// Every answer is recorded.
std::unique_ptr<Watcher> poll_health(HealthOptions options, history::Sink& sink);

/// Asks until the answer is SERVING, `deadline` passes or `cancelled` says so; true when it is. `last` gets
/// what the last answer was, for the error sentence ("NOT_SERVING", "UNAVAILABLE: connection refused").
bool wait_until_serving(const std::string& target, const std::string& name, Instant deadline,
                        const std::function<bool()>& cancelled, std::string* last = nullptr);

}  // namespace breakwire::watch
