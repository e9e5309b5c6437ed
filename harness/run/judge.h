// From a finished history to what it showed: checks, baseline, fired faults, one verdict. Pure.
#pragma once

#include "harness/run/result.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// Fills everything of a result that follows from the scenario and its history alone, so that a stored
/// history can be judged again: verdict, reason, twin, baseline, phases, services, faults, checks, loads.
///
/// The verdict is the worst of the checks, the baseline and the faults (one that did not fire as often as
/// `must_fire` asks is inconclusive), except that nothing but the baseline counts when it was not green. A
/// twin is turned round: it has passed when exactly the named checks failed (twin.h).
ScenarioResult judge(const scenario::Scenario& scenario, const history::History& history);

/// Whether the baseline was green; pure, also used during a run to stop early. A call that was issued in it
/// is judged by its end if it ended before the first fault began, whenever that was; the others are open. Not
/// green when a judged call ended otherwise than its load's `baseline_status`, too few were judged, or more
/// than half of all were open when the first fault began (before that: are open past their deadline).
struct Baseline {
  bool green = false;
  std::string text;  // "green (23 calls, 1 still open)", "waived: …", "not green: 2 of 24 calls ended with
                     // UNAVAILABLE"
};
Baseline judge_baseline(const scenario::Scenario& scenario, const history::History& history);

/// Whether nothing that a check still waits for can happen: every check's time is over or its pass is
/// settled, and no call's stream is open (or 1 s has passed since the loads ended).
bool settled(const scenario::Scenario& scenario, const history::History& history, Instant loads_over,
             Instant now);

/// Percentile by nearest rank of sorted milliseconds.
Percentiles percentiles_of(std::vector<double> latencies_ms);

}  // namespace breakwire::run
