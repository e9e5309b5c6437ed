// Ready by TCP: somebody accepts connections there. Touches sockets. (An open port proves little; services
// that have gRPC health are asked for that instead.)
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/duration.h"

namespace breakwire::process {

enum class Connectable { yes, deadline_passed, stopped };

struct ConnectableResult {
  Connectable outcome{};
  std::string last_error;  // of the last attempt: "Connection refused"; empty after `yes`
};

/// Dials `host`:`port` (a name or a numeric address of either family) again and again until a connection is
/// accepted, the deadline has passed, or `stop` is requested, which is noticed within 20 ms. The connection
/// is closed at once.
ConnectableResult wait_until_connectable(const std::string& host, uint16_t port, Instant deadline,
                                         const std::stop_token& stop = {});

}  // namespace breakwire::process
