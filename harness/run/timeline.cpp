#include "harness/run/timeline.h"

#include <algorithm>

#include "faults/match.h"
#include "harness/history/calls.h"

namespace breakwire::run {
namespace {

using namespace history;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang 14 does not find it by itself

bool method_matches(const std::optional<std::string>& pattern, const std::string& method) {
  return !is_infrastructure(method) && (!pattern || faults::matches_pattern(*pattern, method));
}

/// The call that an event shows at a stage, if it shows one.
struct Reached {
  const EdgeId* edge = nullptr;
  std::pair<ConnectionId, StreamId> call;
};
template <class Seen>
std::optional<Reached> reached(const Seen* seen) {
  if (!seen) return std::nullopt;
  return Reached{&seen->edge, {seen->connection, seen->stream}};
}

std::optional<Reached> call_at(faults::Stage stage, const Event& event) {
  switch (stage) {
    case faults::Stage::headers:
      return reached(std::get_if<faults::CallStarted>(&event.what));
    case faults::Stage::request_message:
    case faults::Stage::response_message: {
      const auto way =
          stage == faults::Stage::request_message ? faults::Direction::request : faults::Direction::response;
      const auto* message = std::get_if<faults::MessageSeen>(&event.what);
      return reached(message && message->direction == way ? message : nullptr);
    }
    case faults::Stage::request_end:
      return std::nullopt;  // no event of its own; the file format refuses it
    case faults::Stage::response_headers:
      return reached(std::get_if<faults::ResponseStarted>(&event.what));
    case faults::Stage::response_end: {
      const auto* end = std::get_if<faults::CallEnded>(&event.what);
      return reached(end && end->how == faults::Ending::trailers ? end : nullptr);
    }
  }
  return std::nullopt;
}

/// The event is the moment of `fault` that `mark` names. An instantaneous fault ends as it starts.
bool is_mark(const scenario::WhenAfter& when, bool instant, const Event& event) {
  if (when.mark == "start" || (when.mark == "end" && instant)) {
    const auto* armed = std::get_if<FaultArmed>(&event.what);
    return armed && armed->fault == when.fault;
  }
  if (when.mark == "first_hit") {
    const auto* hit = std::get_if<faults::FaultHit>(&event.what);
    return hit && hit->fault == when.fault;
  }
  const auto* cleared = std::get_if<FaultCleared>(&event.what);
  return cleared && cleared->fault == when.fault;
}

}  // namespace

Timeline::Timeline(const scenario::Scenario& scenario)
    : scenario_(scenario), states_(scenario.timeline.size()), setup_(setup_of(scenario)), in_flight_(setup_) {
  for (const auto& entry : scenario.timeline) {
    const auto* when = std::get_if<scenario::When>(&entry.trigger);
    if (when && std::holds_alternative<scenario::WhenCall>(*when)) waits_for_calls_ = true;
  }
}

bool Timeline::is_instant(const FaultId& fault) const {
  const auto* setup = setup_.fault(fault);
  return setup && setup->instant;
}

void Timeline::start(Instant zero) {
  zero_ = zero;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (const auto* at = std::get_if<Duration>(&scenario_.timeline[i].trigger)) {
      states_[i].begins = zero + *at;
      states_[i].at = State::At::due;
    }
  }
}

void Timeline::listen(Instant now) {
  listening_ = true;
  // What is in flight already counts: the condition is a state, not an edge.
  for (size_t i = 0; i < states_.size(); ++i) {
    const auto* when = std::get_if<scenario::When>(&scenario_.timeline[i].trigger);
    const auto* in_flight = when ? std::get_if<scenario::WhenInFlight>(when) : nullptr;
    if (in_flight && states_[i].at == State::At::waiting &&
        in_flight_.at_place(in_flight->on, in_flight->method) >= in_flight->at_least) {
      states_[i].begins = now;
      states_[i].at = State::At::due;
    }
  }
}

void Timeline::remember_method(const Event& event) {
  if (const auto* call = std::get_if<faults::CallStarted>(&event.what)) {
    methods_[{call->connection, call->stream}] = call->method;
  } else if (const auto* gone = std::get_if<faults::ConnectionEnded>(&event.what)) {
    std::erase_if(methods_, [&](const auto& known) { return known.first.first == gone->connection; });
  }
}

bool Timeline::reaches(const scenario::WhenCall& when, State& state, const Event& event) const {
  const auto reached = call_at(when.stage, event);
  if (!reached || *reached->edge != when.on) return false;
  const auto method = methods_.find(reached->call);
  if (method == methods_.end() || !method_matches(when.method, method->second)) return false;
  return state.calls.insert(reached->call).second && state.calls.size() == when.nth;
}

bool Timeline::happened(const scenario::When& when, State& state, const Event& event) {
  return std::visit(
      Overloaded{
          [&](const scenario::WhenInFlight& w) { return in_flight_.at_place(w.on, w.method) >= w.at_least; },
          [&](const scenario::WhenCall& w) { return reaches(w, state, event); },
          [&](const scenario::WhenAfter& w) { return is_mark(w, is_instant(w.fault), event); },
          [&](const scenario::WhenHealth& w) {
            const auto* health = std::get_if<HealthSeen>(&event.what);
            return health && health->service == w.service && setup_.service(w.service) &&
                   health->name == setup_.service(w.service)->health_name(w.name) &&
                   to_text(health->status) == w.is;
          },
          [&](const scenario::WhenExit& w) {
            const auto* exit = std::get_if<ProcessExited>(&event.what);
            return exit && exit->service == w.service;
          }},
      when);
}

bool Timeline::observe(const Event& event) {
  in_flight_.feed(event.what);
  if (waits_for_calls_) remember_method(event);
  bool due = false;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (!listening_ || states_[i].at != State::At::waiting) continue;
    const auto* when = std::get_if<scenario::When>(&scenario_.timeline[i].trigger);
    if (!when || !happened(*when, states_[i], event)) continue;
    const auto* after = std::get_if<scenario::WhenAfter>(when);
    states_[i].begins = event.at + (after ? after->delay : Duration::zero());
    states_[i].at = State::At::due;
    due = true;
  }
  if (const auto* ended = std::get_if<faults::CallEnded>(&event.what))
    methods_.erase({ended->connection, ended->stream});
  return due;
}

std::vector<Timeline::Due> Timeline::due(Instant now) {
  std::vector<std::pair<Instant, Due>> found;
  for (size_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    if (state.at == State::At::due && state.begins && *state.begins <= now) {
      found.push_back({*state.begins, {i, Due::What::arm}});
      state.at = State::At::armed;
    } else if (state.at == State::At::armed && state.ends && *state.ends <= now) {
      found.push_back({*state.ends, {i, Due::What::clear}});
      state.at = State::At::cleared;
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Due> all;
  for (const auto& [at, what] : found) all.push_back(what);
  return all;
}

void Timeline::armed(size_t entry, Instant at) {
  if (const auto& length = scenario_.timeline[entry].length) states_[entry].ends = at + *length;
}

std::optional<Instant> Timeline::next() const {
  std::optional<Instant> earliest;
  const auto consider = [&](const std::optional<Instant>& at) {
    if (at && (!earliest || *at < *earliest)) earliest = at;
  };
  for (const auto& state : states_) {
    if (state.at == State::At::due) consider(state.begins);
    if (state.at == State::At::armed) consider(state.ends);
  }
  return earliest;
}

}  // namespace breakwire::run
