// Whether the time before the first fault was in order.
#include "harness/checks/wording.h"
#include "harness/run/judge.h"

namespace breakwire::run {

using checks::counted;

namespace {

/// When the first fault began; the end of time while none has.
Instant first_fault(const history::History& history) {
  Instant first = Instant::max();
  history::each<history::FaultArmed>(
      history, [&](const history::Event& event, const auto&) { first = std::min(first, event.at); });
  return first;
}

}  // namespace

Baseline judge_baseline(const scenario::Scenario& scenario, const history::History& history) {
  if (scenario.timeline.empty()) return {true, "none: no faults, all of it is judged"};
  if (!scenario.baseline) return {true, "waived: " + scenario.baseline_waiver};
  const history::Calls calls(history);
  const Instant end = history.zero() + *scenario.baseline;
  const Instant fault = first_fault(history);
  uint64_t samples = 0, red = 0, open = 0, stuck = 0;
  std::string example;
  for (const auto& call : calls.load_calls()) {
    if (call.issued_at >= end) continue;
    if (!call.done || call.done_at >= fault) {
      ++open;
      // While no fault has begun it may still end well, unless its time is over.
      const bool overdue = call.issued->deadline && *call.issued->deadline < history.last();
      if (fault != Instant::max() || overdue) ++stuck;
      continue;
    }
    ++samples;
    const auto* load = history.setup().load(call.issued->load);
    if (load && load->baseline_status.contains(call.done->status)) continue;
    if (red++ == 0)
      example = call.done->call_id + " ended with " + std::string(to_text(call.done->status)) + ": " +
                call.done->message;
  }
  if (red > 0)
    return {false, "not green: " + std::to_string(red) + " of " + counted(samples, "call") + " failed (" +
                       example + ")"};
  const std::string still_open = open == 0 ? "" : std::to_string(open) + " still open";
  if (stuck * 2 > samples + open)
    return {false, "not green: of " + counted(samples + open, "call") + " " + still_open};
  if (samples < scenario.baseline_min_samples) {
    return {false, "not green: only " + counted(samples, "call") + " of it ended before the first fault, " +
                       std::to_string(scenario.baseline_min_samples) + " needed" +
                       (open == 0 ? "" : ", " + still_open)};
  }
  return {true, "green (" + counted(samples, "call") + (open == 0 ? "" : ", " + still_open) + ")"};
}

}  // namespace breakwire::run
