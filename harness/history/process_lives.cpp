#include <algorithm>
#include <csignal>

#include "harness/history/calls.h"

namespace breakwire::history {
std::vector<ProcessLife> process_lives(const History& history) {
  std::vector<ProcessLife> lives;
  bool teardown = false;
  const auto life_of = [&](const ServiceId& service, std::optional<int> pid) -> ProcessLife* {
    for (auto life = lives.rbegin(); life != lives.rend(); ++life) {
      if (life->service == service && life->pid == pid.value_or(life->pid)) return &*life;
    }
    return nullptr;
  };
  // An exit may be recorded before the signal that caused it: two threads tell of them.
  const auto ended_by = [](ProcessLife* life, const FaultId& fault, Instant at) {
    if (life && !fault.empty() && (!life->exited || at <= *life->exited)) life->ended_by = fault;
  };
  for (const auto& event : history.events()) {
    if (const auto* phase = std::get_if<PhaseBegan>(&event.what)) {
      teardown = teardown || phase->phase == Phase::teardown;
    } else if (const auto* started = std::get_if<ProcessStarted>(&event.what)) {
      ProcessLife& life = lives.emplace_back();
      life.service = started->service;
      life.pid = started->pid;
      life.started = event.at;
      life.started_event = event.number;
    } else if (const auto* sent = std::get_if<SignalSent>(&event.what)) {
      // A stopped process stays alive: what dies then died by itself.
      const bool harmless = sent->signal == SIGSTOP || sent->signal == SIGCONT;
      if (!harmless) ended_by(life_of(sent->service, sent->pid), sent->fault, event.at);
    } else if (const auto* hit = std::get_if<faults::FaultHit>(&event.what)) {
      const FaultSetup* fault = history.setup().fault(hit->fault);
      if (fault && fault->process && hit->action == "kill_tree")
        ended_by(life_of(ServiceId{fault->on}, std::nullopt), hit->fault, hit->at);
    } else if (const auto* exited = std::get_if<ProcessExited>(&event.what)) {
      ProcessLife* life = life_of(exited->service, exited->pid);
      if (!life || life->exited) continue;
      life->exited = event.at;
      life->exited_event = event.number;
      life->code = exited->code;
      life->signal = exited->signal;
      life->in_teardown = teardown;
    }
  }
  return lives;
}

}  // namespace breakwire::history
