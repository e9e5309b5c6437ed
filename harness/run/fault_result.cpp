#include "harness/run/fault_result.h"

#include <algorithm>
#include <set>

#include "harness/checks/wording.h"

namespace breakwire::run {
namespace {

using namespace history;
using checks::counted;

/// A call fault on an edge that turned out not to speak HTTP/2 saw nothing it could act on.
std::string wrong_protocol(const scenario::TimelineEntry& entry, const History& history) {
  if (entry.kind->fault_class != faults::FaultClass::call) return "";
  std::string found;
  each<faults::ProtocolDetected>(history, [&](const Event&, const faults::ProtocolDetected& seen) {
    if (seen.edge.text != entry.on || seen.protocol == faults::Protocol::http2) return;
    found = seen.protocol == faults::Protocol::tls ? "TLS" : "not HTTP/2";
  });
  return found.empty() ? "" : "edge `" + entry.on + "` carried " + found + ", where a call fault cannot act";
}

/// What really happened, where a kind may have to do with less than its own action.
std::string fidelity_of(const scenario::TimelineEntry& entry, const History& history) {
  const auto& kind = *entry.kind;
  if (kind.fidelity_by_action.empty()) return kind.fidelity;
  bool hit_anything = false;
  std::string lesser;
  each<faults::FaultHit>(history, [&](const Event&, const faults::FaultHit& hit) {
    if (hit.fault != entry.id) return;
    hit_anything = true;
    const auto found = kind.fidelity_by_action.find(hit.action);
    if (found != kind.fidelity_by_action.end()) lesser = found->second;
  });
  if (!hit_anything) return "not known: it hit nothing";
  return lesser.empty() ? kind.fidelity : lesser;
}

/// Why it could not do what it is for, or could not be undone; the first reason.
std::optional<std::string> failure_of(const FaultId& fault, const History& history, bool in_cleanup) {
  std::optional<std::string> why;
  each<FaultFailed>(history, [&](const Event&, const FaultFailed& failed) {
    if (failed.fault == fault && failed.in_cleanup == in_cleanup && !why) why = failed.why;
  });
  return why;
}

/// "p.S/Get (30), p.S/Put (10) and 2 more", most frequent first.
std::string methods_of(const std::vector<const Attempt*>& attempts) {
  std::vector<std::pair<std::string, uint64_t>> counted;
  for (const auto* attempt : attempts) {
    const auto known = std::find_if(counted.begin(), counted.end(),
                                    [&](const auto& one) { return one.first == attempt->method; });
    if (known == counted.end()) {
      counted.emplace_back(attempt->method, 1);
    } else {
      ++known->second;
    }
  }
  std::stable_sort(counted.begin(), counted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  constexpr size_t most = 3;
  std::string text;
  for (size_t i = 0; i < std::min(most, counted.size()); ++i) {
    text += (i ? ", " : "") + counted[i].first + " (" + std::to_string(counted[i].second) + ")";
  }
  if (counted.size() > most) text += " and " + std::to_string(counted.size() - most) + " more";
  return text;
}

/// What there was on its edge, when nothing of it was for the fault.
std::string seen_instead(const scenario::TimelineEntry& entry, const FaultSpan& span, const History& history,
                         const Calls& calls) {
  const Instant end = span.cleared.value_or(history.last());
  const std::string where = "on `" + entry.on + "` while it was in force";
  if (entry.kind->fault_class == faults::FaultClass::call) {
    auto seen = calls.attempts_of_all_kinds({entry.on});
    std::erase_if(seen, [&](const Attempt* attempt) {
      return attempt->received > end || (attempt->ended_at() && *attempt->ended_at() < *span.armed);
    });
    if (seen.empty()) return "0 eligible: no call was seen " + where;
    return "0 eligible of " + counted(seen.size(), "call") + " " + where + ": " + methods_of(seen);
  }
  std::set<ConnectionId> seen;
  each<faults::ConnectionAccepted>(history, [&](const Event&, const faults::ConnectionAccepted& accepted) {
    if (accepted.edge.text == entry.on && accepted.at <= end) seen.insert(accepted.connection);
  });
  each<faults::ConnectionEnded>(history, [&](const Event&, const faults::ConnectionEnded& ended) {
    if (ended.at < *span.armed) seen.erase(ended.connection);
  });
  if (seen.empty()) return "0 eligible: no connection was open " + where + ", and none came";
  return "0 eligible of " + counted(seen.size(), "connection") + " " + where;
}

/// Why it hit less than it should have, as far as can be told.
std::string why_so_few(const scenario::TimelineEntry& entry, const FaultResult& result, const FaultSpan& span,
                       const History& history, const Calls& calls) {
  if (entry.kind->fault_class == faults::FaultClass::process || !span.armed) {
    return std::to_string(result.eligible) + " eligible";
  }
  if (result.eligible == 0) return seen_instead(entry, span, history, calls);
  const bool call = entry.kind->fault_class == faults::FaultClass::call;
  if (result.hits > 0) return std::to_string(result.eligible) + " eligible";
  if (!call) return counted(result.eligible, "connection") + " eligible: what it acts on never came";
  return counted(result.eligible, "call") +
         " eligible: its `calls` picked none, or what it acts on never came";
}

/// The hits that were calls.
std::vector<SampleCall> sample_calls_of(const std::vector<EventNumber>& hits, const History& history,
                                        const Calls& calls) {
  std::vector<SampleCall> samples;
  for (const EventNumber number : hits) {
    const Event& event = history.event(number);
    const auto& hit = std::get<faults::FaultHit>(event.what);
    if (hit.stream == 0) continue;
    SampleCall sample{.event = number,
                      .at = event.at - history.zero(),
                      .action = hit.action,
                      .method = {},
                      .call_id = {},
                      .trace_id = {},
                      .connection = hit.connection,
                      .stream = hit.stream};
    for (const auto* attempt : calls.attempts_of_all_kinds(hit.edge)) {
      if (attempt->connection != hit.connection || attempt->stream != hit.stream) continue;
      sample.method = attempt->method;
      sample.call_id = attempt->call_id;
      sample.trace_id = attempt->trace_id;
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace

Return return_of(const scenario::TimelineEntry& entry, const FaultSpan& span, const History& history) {
  Return found;
  if (entry.kind->lifetime != faults::Lifetime::down || !span.cleared) return found;
  for (const auto& event : history.events()) {
    if (event.at < *span.cleared || found.ready || found.failed) continue;
    const auto* ready = std::get_if<ServiceReady>(&event.what);
    if (ready && ready->service.text == entry.on) found.ready = true;
    const auto* failed = std::get_if<RestartFailed>(&event.what);
    if (failed && failed->service.text == entry.on) found.failed = failed->why;
  }
  return found;
}

FaultResult fault_of(const scenario::TimelineEntry& entry, const History& history, const Calls& calls) {
  const FaultSpan span = span_of(entry.id, history);
  FaultResult result{.id = entry.id, .kind = entry.kind->name, .on = entry.on};
  const auto offset = [&](const std::optional<Instant>& at) {
    return at ? std::optional<Duration>(*at - history.zero()) : std::nullopt;
  };
  result.armed = offset(span.armed);
  result.first_hit = offset(span.first_hit);
  result.last_hit = offset(span.last_hit);
  result.cleared = offset(span.cleared);
  result.eligible = span.tally.eligible;
  result.hits = span.tally.hits;
  result.fidelity = fidelity_of(entry, history);
  result.entry = entry.entry;
  const bool process = entry.kind->fault_class == faults::FaultClass::process;
  if (process && span.armed) result.in_flight = span.in_flight;
  result.cleanup = !span.armed                                         ? "not needed"
                   : entry.kind->lifetime == faults::Lifetime::instant ? "not needed"
                   : span.cleared                                      ? "healed"
                                                                       : "not healed: the run ended before";
  if (entry.kind->lifetime == faults::Lifetime::down && span.cleared) {
    const Return came = return_of(entry, span, history);
    if (!came.ready)
      result.cleanup = came.failed ? "did not come back: " + *came.failed
                                   : "not known: the run ended before it was ready again";
  }
  if (const auto why = failure_of(entry.id, history, true)) result.cleanup = "not healed: " + *why;
  each<faults::FaultHit>(history, [&](const Event& event, const faults::FaultHit& hit) {
    if (hit.fault == entry.id && result.samples.size() < 10) result.samples.push_back(event.number);
  });
  result.sample_calls = sample_calls_of(result.samples, history, calls);
  if (!span.armed) {
    result.reason =
        "fault `" + entry.id.text + "` never fired: " +
        (std::holds_alternative<Duration>(entry.trigger) ? "the run ended before its time"
                                                         : "what its `when` waits for never happened");
  } else if (const auto wrong = wrong_protocol(entry, history);
             !wrong.empty() && result.hits < entry.must_fire) {
    result.reason = "fault `" + entry.id.text + "` could not act: " + wrong;
  } else if (const auto why = failure_of(entry.id, history, false)) {
    result.reason = "fault `" + entry.id.text + "` could not act: " + *why;
  } else if (result.hits < entry.must_fire) {
    result.reason = "fault `" + entry.id.text + "` hit " + counted(result.hits, "time") +
                    ", must_fire asks for " + std::to_string(entry.must_fire) + " (" +
                    why_so_few(entry, result, span, history, calls) + ")";
  } else if (span.in_flight < entry.must_find_in_flight) {
    result.reason = "fault `" + entry.id.text + "` found " + counted(span.in_flight, "call") +
                    " in flight, must_fire asks for " + std::to_string(entry.must_find_in_flight);
  } else if (entry.must_be_real && result.fidelity != "wire") {
    result.reason = "fault `" + entry.id.text + "` was not the real thing: " + result.fidelity;
  }
  result.fired = result.reason.empty();
  return result;
}

}  // namespace breakwire::run
