#include "harness/run/fault_result.h"

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

/// Why it could not do what it is for; the first reason.
std::optional<std::string> failure_of(const FaultId& fault, const History& history) {
  std::optional<std::string> why;
  each<FaultFailed>(history, [&](const Event&, const FaultFailed& failed) {
    if (failed.fault == fault && !why) why = failed.why;
  });
  return why;
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

FaultResult fault_of(const scenario::TimelineEntry& entry, const History& history) {
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
  each<faults::FaultHit>(history, [&](const Event& event, const faults::FaultHit& hit) {
    if (hit.fault == entry.id && result.samples.size() < 10) result.samples.push_back(event.number);
  });
  if (!span.armed) {
    result.reason =
        "fault `" + entry.id.text + "` never fired: " +
        (std::holds_alternative<Duration>(entry.trigger) ? "the run ended before its time"
                                                         : "what its `when` waits for never happened");
  } else if (const auto wrong = wrong_protocol(entry, history);
             !wrong.empty() && result.hits < entry.must_fire) {
    result.reason = "fault `" + entry.id.text + "` could not act: " + wrong;
  } else if (const auto why = failure_of(entry.id, history)) {
    result.reason = "fault `" + entry.id.text + "` could not act: " + *why;
  } else if (result.hits < entry.must_fire) {
    result.reason = "fault `" + entry.id.text + "` hit " + counted(result.hits, "time") +
                    ", must_fire asks for " + std::to_string(entry.must_fire) + " (" +
                    std::to_string(result.eligible) + " eligible)";
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
