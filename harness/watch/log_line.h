// One line of a service's log, read as a record of a call. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/history/event.h"

namespace breakwire::watch {

/// Which fields of a JSON line hold what. A name stands for a member of that name; without one, and with dots
/// in it, for a member of a member: `grpc.code` is {"grpc.code": …} or {"grpc": {"code": …}}.
struct LogFields {
  std::map<std::string, std::string> only;  // a line counts when each of these fields holds this
  std::string service;                      // beside a `method` that is only the method's own name; or empty
  std::string method = "method";
  std::string code = "code";
  std::string duration_ms = "duration_ms";
  std::string duration_s;  // instead of duration_ms; or empty
  std::string trace_id = "trace_id";
};

struct LogLine {
  bool json = false;                       // an object
  std::optional<history::LogSeen> record;  // when it tells of a call: it passes `only` and has a method
};

/// Codes are read by name in any spelling ("DEADLINE_EXCEEDED", "DeadlineExceeded", "Canceled") and by
/// number; durations also from text ("1.5", "1.5ms", "2s"). A trace id is what it is, or the second part of a
/// whole traceparent; all zeros count as none.
LogLine read_log_line(std::string_view line, const LogFields& fields);

/// The gRPC status that a text means; see above.
std::optional<StatusCode> status_in_any_spelling(std::string_view text);

}  // namespace breakwire::watch
