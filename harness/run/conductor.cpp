#include "harness/run/conductor.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

Conductor::Conductor(const scenario::Scenario& scenario, Topology& topology, Recorder& recorder)
    : scenario_(scenario), topology_(topology), recorder_(recorder) {
  for (size_t index = 0; index < scenario_.timeline.size(); ++index) {
    const auto& entry = scenario_.timeline[index];
    if (entry.kind->fault_class != faults::FaultClass::process) continue;
    const auto begins = answer_of(index, faults::ProcessArmed{}, {});
    if (const auto* run = std::get_if<faults::RunCommand>(&begins)) filled_in(entry, run->argv);
  }
}

Conductor::~Conductor() {
  try {
    clear_all();
  } catch (const std::exception&) {
    // The network heals what is left when it goes.
  }
}

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
  InForce force;
  Instant at = now();
  if (!process) {
    // Told with the instant at which it came into force on the wire; hits may be recorded before this is.
    force.wire = topology_.network().arm(
        EdgeId{entry.on},
        faults::WireFaultInstance{
            .id = entry.id,
            .kind = entry.kind->name,
            .match = entry.match,
            .seed = scenario_.seed,
            .order = index,
            .fault = std::get<std::shared_ptr<const faults::WireFault>>(entry.decision)},
        &at);
  }
  const uint64_t in_flight = recorder_.locked([&](const auto&, Timeline& timeline) {
    timeline.armed(index, at);
    force.instant = timeline.is_instant(entry.id);
    return process ? timeline.in_flight().at_place(entry.on, std::nullopt) : 0;
  });
  recorder_.record(at, history::FaultArmed{.fault = entry.id, .in_flight = in_flight});
  force.state.armed_at = at;
  const bool instant = force.instant;
  in_force_[index] = std::move(force);
  if (process) perform(index, faults::ProcessArmed{at});
  if (instant) clear(index);
}

void Conductor::perform(size_t index, const faults::ProcessEvent& event) {
  const auto& entry = scenario_.timeline[index];
  auto& force = in_force_[index];
  const auto action = answer_of(index, event, force.state);
  ++force.state.asked;
  if (std::holds_alternative<faults::Nothing>(action)) return;
  // What may come to nothing is told when it has not; all else before it is done, for an exit must never come
  // before what caused it.
  const bool may_fail =
      std::holds_alternative<faults::SetLimits>(action) || std::holds_alternative<faults::RunCommand>(action);
  std::optional<std::string> why;
  if (may_fail) why = carry_out(index, action);
  if (std::holds_alternative<faults::ProcessArmed>(event)) {
    ++force.tally.eligible;
    if (!why) {
      ++force.state.hits;
      ++force.tally.hits;
      recorder_.record(now(),
                       faults::FaultHit{.fault = entry.id, .at = now(), .action = faults::name_of(action)});
    }
  }
  if (!may_fail) why = carry_out(index, action);
  const bool in_cleanup = std::holds_alternative<faults::ProcessCleared>(event);
  if (why)
    recorder_.record(now(), history::FaultFailed{.fault = entry.id, .why = *why, .in_cleanup = in_cleanup});
}

faults::ProcessAction Conductor::answer_of(size_t index, const faults::ProcessEvent& event,
                                           const faults::FaultState& state) const {
  const auto& entry = scenario_.timeline[index];
  Rng rng(mix(mix(scenario_.seed, entry.id.text), state.asked));
  return std::get<std::shared_ptr<const faults::ProcessFault>>(entry.decision)->decide(event, state, rng);
}

std::optional<std::string> Conductor::carry_out(size_t index, const faults::ProcessAction& action) {
  const auto& entry = scenario_.timeline[index];
  if (const auto* run = std::get_if<faults::RunCommand>(&action)) return run_command(index, run->argv);
  if (std::holds_alternative<faults::EndCommand>(action)) {
    auto& command = in_force_[index].command;
    if (!command) return std::nullopt;
    command->stop();
    ending_.push_back(std::move(command));
    return std::nullopt;
  }
  return topology_.service(ServiceId{entry.on}).perform(action, entry.id);
}

process::Command Conductor::filled_in(const scenario::TimelineEntry& entry,
                                      const std::vector<std::string>& argv) const {
  const auto& options = topology_.options();
  // It may name every edge, and no service's ports.
  const auto lookup = lookup_for({}, topology_.addresses(), options.bin, options.environment);
  std::vector<std::string> unknown;
  process::Command command{.argv = expand_all(argv, lookup, unknown),
                           .log_path = options.log_dir + "/fault-" + entry.id.text + ".log"};
  if (unknown.empty()) return command;
  throw SetupError(json::error_at(
      entry.entry.span,
      "fault `" + entry.id.text + "` uses `${" + unknown.front() + "}`, which has no value here",
      "set the variable before running"));
}

std::optional<std::string> Conductor::run_command(size_t index, const std::vector<std::string>& argv) {
  const auto& entry = scenario_.timeline[index];
  try {
    in_force_[index].command = std::make_unique<RunningCommand>(
        topology_.options().guard, filled_in(entry, argv), std::nullopt,
        RunningCommand::Told{.ended = [this, fault = entry.id](const CommandEnd& end) {
          if (!end.exited) {
            recorder_.record(
                now(), history::FaultFailed{
                           .fault = fault, .why = "its command could not be ended", .in_cleanup = true});
            return;
          }
          if (end.told_to_end || end.exited->status.code == 0) return;
          recorder_.record(end.exited->at, history::FaultFailed{.fault = fault,
                                                                .why = "its command ended by itself: " +
                                                                       process::to_text(end.exited->status) +
                                                                       quoted(end.last_output)});
        }});
    return std::nullopt;
  } catch (const std::exception& error) {
    return std::string("its command cannot be started: ") + error.what();
  }
}

void Conductor::clear(size_t index) {
  const auto found = in_force_.find(index);
  if (found == in_force_.end()) return;
  const auto& entry = scenario_.timeline[index];
  auto& force = found->second;
  if (force.wire) {
    const relay::Healed healed = force.wire->heal();
    recorder_.record(healed.at, history::FaultCleared{
                                    .fault = entry.id, .tally = healed.tally, .last_hit = healed.last_hit});
  } else {
    const Instant at = now();
    const auto tally = force.tally;
    if (!force.instant) perform(index, faults::ProcessCleared{at});
    recorder_.record(at, history::FaultCleared{.fault = entry.id, .tally = tally});
  }
  in_force_.erase(found);
}

void Conductor::clear_all() {
  while (!in_force_.empty()) {
    const auto first = in_force_.begin();
    // What is down need not come back to be stopped.
    if (scenario_.timeline[first->first].kind->lifetime == faults::Lifetime::down) {
      in_force_.erase(first);
    } else {
      clear(first->first);
    }
  }
  for (const auto& command : ending_) command->finish();
}

}  // namespace breakwire::run
