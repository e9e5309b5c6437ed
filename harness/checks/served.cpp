#include "harness/checks/served.h"

#include <algorithm>
#include <csignal>

namespace breakwire::checks {
namespace {

using faults::Ending;
using history::Attempt;

constexpr Duration soon = 50ms;     // less than a server needs on a busy machine to begin a call
constexpr Duration untold = 500ms;  // what a killed process may not have written yet

struct Span {
  Instant begin, end;
};

/// When the service's process was stopped, and not continued.
std::vector<Span> stops_of(const ServiceId& service, const history::History& history) {
  std::vector<Span> stops;
  history::each<history::SignalSent>(history, [&](const auto& event, const history::SignalSent& sent) {
    if (sent.service != service) return;
    if (sent.signal == SIGSTOP) {
      stops.push_back({event.at, Instant::max()});
    } else if (sent.signal == SIGCONT && !stops.empty()) {
      stops.back().end = std::min(stops.back().end, event.at);
    }
  });
  return stops;
}

Instant end_of_run(const history::History& history) {
  Instant end = Instant::max();
  history::each<history::PhaseBegan>(history, [&](const auto& event, const history::PhaseBegan& began) {
    if (began.phase == history::Phase::teardown) end = std::min(end, event.at);
  });
  return end;
}

ServedCall::Ending ending_of(const Attempt& attempt, Instant torn_down) {
  if (!attempt.end || attempt.end->received >= torn_down) return ServedCall::Ending::open;
  switch (attempt.end->how) {
    case Ending::trailers:
      return ServedCall::Ending::answered;
    case Ending::reset_by_downstream:
      return ServedCall::Ending::given_up;
    case Ending::reset_by_upstream:
    case Ending::connection_lost:
    case Ending::ended_by_fault:
    case Ending::refused_while_held:
    case Ending::refused_by_goaway:
      return ServedCall::Ending::cut;
  }
  return ServedCall::Ending::cut;
}

bool refused(const Attempt::End& end) {
  return end.how == Ending::refused_by_goaway || end.how == Ending::refused_while_held ||
         end.reset == Http2Error::refused_stream;
}

}  // namespace

std::vector<ServedCall> calls_served(const ServiceId& service, const Question& question) {
  const auto stops = stops_of(service, question.history);
  const Instant torn_down = end_of_run(question.history);
  const auto lives = history::process_lives(question.history);
  std::vector<ServedCall> all;
  for (const auto& edge : question.history.setup().edges) {
    if (edge.to != service || edge.control || !edge.grpc) continue;
    for (const Attempt* attempt : question.calls.attempts(edge.id)) {
      if (!attempt->forwarded) continue;
      ServedCall& call = all.emplace_back();
      call.attempt = attempt;
      call.ending = ending_of(*attempt, torn_down);
      call.given = call.over = *attempt->forwarded;
      if (call.ending == ServedCall::Ending::open) continue;
      const Attempt::End& end = *attempt->end;
      // A reset that travels towards the service reaches it when it was written to it.
      const bool to_service = call.ending == ServedCall::Ending::given_up;
      call.over = std::max(call.given, to_service ? end.forwarded.value_or(end.received) : end.received);
      call.stopped = std::any_of(stops.begin(), stops.end(), [&](const Span& stop) {
        return stop.begin <= call.over && call.given <= stop.end;
      });
      const bool killed = std::any_of(lives.begin(), lives.end(), [&](const auto& life) {
        if (life.service != service || !life.exited || *life.exited < call.given) return false;
        return life.signal ? *life.exited <= call.over + untold
                           : call.ending == ServedCall::Ending::cut && *life.exited <= call.over + untold;
      });
      const bool unseen = call.ending != ServedCall::Ending::answered &&
                          (call.over - call.given < soon || call.stopped || refused(end));
      call.certain = !killed && !unseen;
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.given < b.given; });
  return all;
}

}  // namespace breakwire::checks
