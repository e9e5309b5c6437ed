// What a finished history shows of one entry of the timeline: its times, hits, and whether it fired. Pure.
#pragma once

#include "harness/history/calls.h"
#include "harness/run/result.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// `fired` is false, with a `reason`, when it never began, could not act, hit less often than `must_fire`
/// asks, found too few calls in flight, or was not as real as `must_fire` wants it. `calls` are those of the
/// same history.
FaultResult fault_of(const scenario::TimelineEntry& entry, const history::History& history,
                     const history::Calls& calls);

/// What became of a service that a fault took down and started again.
struct Return {
  bool ready = false;
  std::optional<std::string> failed;  // why it did not come back
};
Return return_of(const scenario::TimelineEntry& entry, const history::FaultSpan& span,
                 const history::History& history);

}  // namespace breakwire::run
