// Spans of a run in which checks look. Pure.
#pragma once

#include <string>
#include <variant>

#include "harness/history/history.h"

namespace breakwire::history {

/// [begin, end). `text` says it to a reader: "after term (2.104s – 6.000s)".
struct Window {
  Instant begin;
  Instant end;
  std::string text;
  bool contains(Instant t) const { return begin <= t && t < end; }
};

enum class Relation { whole, before, during, after };

/// As an `expect` entry names it. `mark` is "", "start", "first_hit" or "end": which moment of the fault
/// `after` counts from ("" = its end, for instantaneous faults its start).
struct WindowSpec {
  Relation relation = Relation::whole;
  FaultId fault;
  std::string mark;
  bool operator==(const WindowSpec&) const = default;
};

/// Why there is no window: "fault `slow` never fired".
struct NoWindow {
  std::string why;
};

/// before f = [t0, start); during f = [start, end]; after f = from its end (instantaneous: its start) to the
/// end of the run; whole = [t0, end of run]. A fault that was never armed, or has no hit, leaves no window.
/// In a run that is still going on, a window that has not begun is NoWindow too, and an open end is the
/// history's last event.
std::variant<Window, NoWindow> resolve(const WindowSpec& spec, const History& history);

/// When a fault was in force and acted.
struct FaultSpan {
  FaultId fault;
  std::optional<Instant> armed, first_hit, last_hit, cleared;
  EventNumber armed_event, first_hit_event;
  faults::FaultTally
      tally;               // from FaultCleared; of process faults hits are counted from their FaultHit events
  uint64_t in_flight = 0;  // when it was armed (process faults)
};
FaultSpan span_of(const FaultId& fault, const History& history);

}  // namespace breakwire::history
