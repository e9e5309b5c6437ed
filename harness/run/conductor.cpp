#include "harness/run/conductor.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

Conductor::Conductor(const scenario::Scenario& scenario, Topology& topology, Recorder& recorder)
    : scenario_(scenario), topology_(topology), recorder_(recorder) {}

Conductor::~Conductor() { clear_all(); }

void Conductor::perform_due() {
  for (;;) {
    const auto due = recorder_.locked([](const auto&, Timeline& timeline) { return timeline.due(now()); });
    if (due.empty()) return;
    for (const auto& one : due) one.what == Timeline::Due::What::arm ? arm(one.entry) : clear(one.entry);
  }
}

void Conductor::arm(size_t index) {
  const auto& entry = scenario_.timeline[index];
  const bool process = entry.kind->fault_class == faults::FaultClass::process;
  const Instant at = now();
  // Told before it acts, so that no hit comes before the arming.
  bool instant = false;
  const uint64_t in_flight = recorder_.locked([&](const auto&, Timeline& timeline) {
    timeline.armed(index, at);
    instant = timeline.is_instant(entry.id);
    return process ? timeline.in_flight().at_place(entry.on, std::nullopt) : 0;
  });
  recorder_.record(at, history::FaultArmed{.fault = entry.id, .in_flight = in_flight});
  auto& force = in_force_[index];
  force.state.armed_at = at;
  force.instant = instant;
  if (process) {
    perform(index, faults::ProcessArmed{at});
  } else {
    force.wire = topology_.network().arm(
        EdgeId{entry.on}, faults::WireFaultInstance{
                              .id = entry.id,
                              .kind = entry.kind->name,
                              .match = entry.match,
                              .seed = scenario_.seed,
                              .order = index,
                              .fault = std::get<std::shared_ptr<const faults::WireFault>>(entry.decision)});
  }
  if (instant) clear(index);
}

void Conductor::perform(size_t index, const faults::ProcessEvent& event) {
  const auto& entry = scenario_.timeline[index];
  auto& force = in_force_[index];
  Rng rng(mix(mix(scenario_.seed, entry.id.text), force.state.asked));
  const auto& fault = std::get<std::shared_ptr<const faults::ProcessFault>>(entry.decision);
  const auto action = fault->decide(event, force.state, rng);
  ++force.state.asked;
  if (std::holds_alternative<faults::Nothing>(action)) return;
  if (std::holds_alternative<faults::ProcessArmed>(event)) {
    ++force.state.hits;
    force.tally.eligible = force.tally.hits = force.state.hits;
    recorder_.record(now(),
                     faults::FaultHit{.fault = entry.id, .at = now(), .action = faults::name_of(action)});
  }
  topology_.service(ServiceId{entry.on}).perform(action, entry.id);
}

void Conductor::clear(size_t index) {
  const auto found = in_force_.find(index);
  if (found == in_force_.end()) return;
  const auto& entry = scenario_.timeline[index];
  if (found->second.wire) {
    found->second.tally = found->second.wire->tally();
    found->second.wire.reset();
  } else if (!found->second.instant) {
    perform(index, faults::ProcessCleared{now()});
  }
  recorder_.record(now(), history::FaultCleared{.fault = entry.id, .tally = found->second.tally});
  in_force_.erase(found);
}

void Conductor::clear_all() {
  while (!in_force_.empty()) clear(in_force_.begin()->first);
}

}  // namespace breakwire::run
