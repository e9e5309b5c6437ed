#include "harness/run/process_faults.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <system_error>

#include "harness/process/limits.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// Answers whether nobody wanted it to end before.
bool sleep_until(Instant time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

ProcessFaults::ProcessFaults(ServiceId service, Recorder& recorder, Current current)
    : service_(std::move(service)), recorder_(recorder), current_(std::move(current)) {}

ProcessFaults::~ProcessFaults() { let_go(); }

std::optional<std::string> ProcessFaults::perform(const faults::ProcessAction& action, const FaultId& fault) {
  if (const auto* signal = std::get_if<faults::SendSignal>(&action)) {
    send(signal->number, false, fault, Tell::yes);
  } else if (std::holds_alternative<faults::KillTree>(action)) {
    send(SIGKILL, true, fault, Tell::yes);
  } else if (std::holds_alternative<faults::StopTree>(action)) {
    freeze(fault, Tell::yes);
  } else if (std::holds_alternative<faults::ContinueTree>(action)) {
    throttles_.erase(fault);  // joined
    thaw(fault, Tell::yes);
  } else if (const auto* cycle = std::get_if<faults::Throttle>(&action)) {
    throttles_[fault] =
        std::jthread([this, cycle = *cycle, fault](std::stop_token stop) { throttle(cycle, fault, stop); });
  } else if (const auto* limits = std::get_if<faults::SetLimits>(&action)) {
    return limit(*limits, fault);
  } else if (std::holds_alternative<faults::RestoreLimits>(action)) {
    return restore(fault);
  }
  return std::nullopt;
}

void ProcessFaults::let_go() {
  throttles_.clear();
  try {
    const std::lock_guard lock(freezing_);
    const auto child = current_();
    if (!frozen_by_.empty() && child) child->signal_family(SIGCONT);
    frozen_by_.clear();
  } catch (const std::exception&) {
    // The guard is gone, and the process with it.
  }
}

// ---- Signals, and what is made of them

void ProcessFaults::send(int signal, bool family, const FaultId& fault, Tell tell) {
  const auto child = current_();
  if (!child) return;
  if (tell == Tell::yes) {
    const uint64_t in_flight = recorder_.locked([&](const auto&, const Timeline& timeline) {
      return timeline.in_flight().at_place(service_.text, std::nullopt);
    });
    // Recorded first: an exit must never come before the signal that caused it.
    recorder_.record(now(), history::SignalSent{.service = service_,
                                                .pid = child->pid(),
                                                .signal = signal,
                                                .fault = fault,
                                                .in_flight = in_flight});
  }
  if (family) {
    child->signal_family(signal);
  } else {
    child->signal(signal);
  }
}

void ProcessFaults::freeze(const FaultId& fault, Tell tell) {
  const std::lock_guard lock(freezing_);
  frozen_by_.insert(fault);
  send(SIGSTOP, true, fault, tell);
}

void ProcessFaults::thaw(const FaultId& fault, Tell tell) {
  const std::lock_guard lock(freezing_);
  frozen_by_.erase(fault);
  if (frozen_by_.empty()) send(SIGCONT, true, fault, tell);
}

/// On a thread of its own. It may leave the service frozen: whoever ends it thaws.
void ProcessFaults::throttle(const faults::Throttle& cycle, const FaultId& fault,
                             const std::stop_token& stop) {
  try {
    Tell tell = Tell::yes;
    for (Instant time = now(); !stop.stop_requested(); tell = Tell::no) {
      freeze(fault, tell);
      if (!sleep_until(time += cycle.stopped, stop)) return;
      thaw(fault, Tell::no);
      // Periods that were missed are not made up for.
      time = std::max(time + cycle.running, now());
      if (!sleep_until(time, stop)) return;
    }
  } catch (const std::exception&) {
    // The guard is gone, and the process with it: its exit says so.
  }
}

// ---- Limits

std::optional<std::string> ProcessFaults::limit(const faults::SetLimits& limits, const FaultId& fault) {
  const auto child = current_();
  if (!child || child->exited()) return "service `" + service_.text + "` is not running";
  const std::lock_guard lock(limiting_);
  limited_ = child->pid();
  limits_[fault] = limits;
  auto why = apply_limits();
  if (why) limits_.erase(fault);
  return why;
}

std::optional<std::string> ProcessFaults::restore(const FaultId& fault) {
  const auto child = current_();
  const std::lock_guard lock(limiting_);
  limits_.erase(fault);
  if (!child || child->exited() || child->pid() != limited_) return std::nullopt;
  return apply_limits();
}

void ProcessFaults::started(pid_t pid) {
  const std::lock_guard lock(limiting_);
  limited_ = pid;
  for (auto& resource : resources_) resource.before.reset();
  if (!limits_.empty()) apply_limits();
}

std::optional<uint64_t> ProcessFaults::tightest(const Resource& resource) const {
  std::optional<uint64_t> least;
  for (const auto& [fault, limits] : limits_) {
    const auto& wanted = limits.*resource.wanted;
    if (wanted && (!least || *wanted < *least)) least = wanted;
  }
  return least;
}

/// That the process lived a moment ago is all that is known: prlimit(2) takes a pid, and a pid that was given
/// to another in between is a risk that every user of it takes.
std::optional<std::string> ProcessFaults::apply_limits() {
  for (auto& resource : resources_) {
    const auto wanted = tightest(resource);
    if (!wanted && !resource.before) continue;
    rlimit limit{};
    const auto failed = [&](const std::error_code& error) {
      return "cannot set the limit of " + std::string(resource.name) + " of service `" + service_.text +
             "`: " + error.message();
    };
    if (const auto error = process::limit_of(limited_, resource.number, nullptr, &limit))
      return failed(error);
    const rlim_t before = resource.before.value_or(limit.rlim_cur);
    if (wanted && before <= *wanted) {
      return "service `" + service_.text + "` may have no more than " + std::to_string(before) + " " +
             resource.name + " anyway";
    }
    limit.rlim_cur = wanted.value_or(before);
    if (const auto error = process::limit_of(limited_, resource.number, &limit, nullptr))
      return failed(error);
    resource.before = wanted ? std::optional(before) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace breakwire::run
