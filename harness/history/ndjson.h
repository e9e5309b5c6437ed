// The stored form of a history: one JSON object per line, the set-up first, then every event. Pure: text
// only.
//
//   {"type": "history", "version": 1, "scenario": "sigterm-mid-request", "zero_ns": 83211000000, …}
//   {"number": 17, "t_ns": 1204331, "type": "call_started", "edge": "client->storefront", "connection": 1, …}
//
// Times are whole nanoseconds since t = 0 (`t_ns`, `received_ns`, …), negative before it; `zero_ns` of the
// header is that moment on CLOCK_MONOTONIC. Durations end in `_ns`, sizes in `_bytes`. Codes go by name. What
// is absent, empty or zero in an optional sense is left out. Text that is not UTF-8 (a hostile peer's) is
// `{"hex": "ff00"}`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "harness/history/history.h"

namespace breakwire::history {

/// "call_started", "phase_began", …: the payload's name in files and reports.
std::string_view type_name(const Payload& what);
/// "baseline", "teardown", …
std::string_view to_text(Phase phase);

/// The first line, without its newline.
std::string to_ndjson_header(const Setup& setup, Instant zero);
/// One event, without its newline.
std::string to_ndjson_line(const Event& event, Instant zero);

/// Rebuilds the history that the lines were written from, equal event by event, so that it can be judged
/// again. Unknown keys are ignored (a later minor version's), unknown types and malformed lines are errors,
/// placed at their line.
Result<History> read_ndjson(std::string_view text, const std::string& file);

}  // namespace breakwire::history
