#include "harness/run/judge.h"

#include "harness/history/ndjson.h"

#include <algorithm>
#include <cmath>

namespace breakwire::run {
namespace {

using namespace history;

std::vector<PhaseResult> phases_of(const History& history) {
  std::vector<PhaseResult> phases;
  each<PhaseBegan>(history, [&](const Event& event, const PhaseBegan& began) {
    const Duration at = event.at - history.zero();
    if (!phases.empty()) phases.back().ended = at;
    if (began.phase != Phase::ended) phases.push_back({std::string(to_text(began.phase)), at, at});
  });
  if (!phases.empty()) phases.back().ended = std::max(phases.back().ended, history.last() - history.zero());
  return phases;
}

std::vector<ServiceResult> services_of(const scenario::Scenario& scenario, const History& history) {
  std::vector<ServiceResult> services;
  for (const auto& service : scenario.services) {
    services.push_back({.id = service.id,
                        .kind = std::holds_alternative<scenario::RunCommand>(service.what) ? "process"
                                : std::holds_alternative<scenario::PostgresService>(service.what)
                                    ? "postgres"
                                    : "external"});
  }
  for (const auto& life : process_lives(history)) {
    for (auto& service : services) {
      if (service.id != life.service) continue;
      ProcessResult process{.pid = life.pid,
                            .started = life.started - history.zero(),
                            .code = life.code,
                            .signal = life.signal};
      if (life.exited) {
        process.exited = *life.exited - history.zero();
        process.expected = life.in_teardown || life.ended_by.has_value();
      }
      service.processes.push_back(process);
    }
  }
  return services;
}

std::string plural(uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

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

/// What became of a service that a fault took down and started again.
struct Return {
  bool ready = false;
  std::optional<std::string> failed;  // why it did not come back
};
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
  result.fidelity = entry.kind->fidelity;
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
  } else if (result.hits < entry.must_fire) {
    result.reason = "fault `" + entry.id.text + "` hit " + plural(result.hits, "time") +
                    ", must_fire asks for " + std::to_string(entry.must_fire) + " (" +
                    std::to_string(result.eligible) + " eligible)";
  } else if (span.in_flight < entry.must_find_in_flight) {
    result.reason = "fault `" + entry.id.text + "` found " + plural(span.in_flight, "call") +
                    " in flight, must_fire asks for " + std::to_string(entry.must_find_in_flight);
  }
  result.fired = result.reason.empty();
  return result;
}

LoadResult load_of(const scenario::Load& load, const Calls& calls, Instant main_begins) {
  LoadResult result{.id = load.id, .via = load.via, .method = load.method};
  std::vector<double> before, after;
  for (const auto* call : calls.load_calls(load.id)) {
    ++result.issued;
    if (call->issued_at - call->issued->intended > 5ms) ++result.late_starts;
    if (!call->done) {
      ++result.unfinished;
      continue;
    }
    ++result.by_status[call->done->status];
    (call->issued_at < main_begins ? before : after).push_back(to_ms(call->done_at - call->issued->intended));
  }
  if (!before.empty()) result.latency.emplace_back("baseline", percentiles_of(std::move(before)));
  if (!after.empty()) result.latency.emplace_back("main", percentiles_of(std::move(after)));
  return result;
}

/// The end of time when it never began.
Instant begin_of(Phase phase, const History& history) {
  Instant begin = Instant::max();
  each<PhaseBegan>(history, [&](const Event& event, const PhaseBegan& began) {
    if (began.phase == phase) begin = event.at;
  });
  return begin;
}

std::string text_of(Correlate::By by) {
  switch (by) {
    case Correlate::By::automatic:
      return "auto";
    case Correlate::By::attempts_header:
      return "attempts_header";
    case Correlate::By::trace:
      return "trace";
    case Correlate::By::metadata:
      return "metadata";
    case Correlate::By::serial:
      return "serial";
  }
  return "";
}

/// Told once for each edge, peer and limit: a flood reaches them thousands of times.
std::vector<std::string> notes_of(const History& history) {
  std::vector<std::pair<std::string, uint64_t>> counted;
  const auto count = [&](const std::string& note) {
    const auto found =
        std::find_if(counted.begin(), counted.end(), [&](const auto& c) { return c.first == note; });
    if (found == counted.end()) {
      counted.emplace_back(note, 1);
    } else {
      ++found->second;
    }
  };
  const auto name_of = [](faults::Peer peer) {
    return peer == faults::Peer::downstream ? "caller" : "callee";
  };
  for (const auto& event : history.events()) {
    if (const auto* limit = std::get_if<faults::LimitReached>(&event.what)) {
      count("edge " + limit->edge.text + ": the relay's own limit `" + limit->limit +
            "` was reached by the " + name_of(limit->by) + "; its connection was ended for it");
    } else if (const auto* violation = std::get_if<faults::ProtocolViolation>(&event.what)) {
      count("edge " + violation->edge.text + ": HTTP/2 violated by the " + name_of(violation->by) + ": " +
            violation->what);
    }
  }
  std::vector<std::string> notes;
  for (const auto& [note, times] : counted)
    notes.push_back(note + (times == 1 ? "" : " (" + std::to_string(times) + " times)"));
  return notes;
}

std::string with_comma(const std::string& list, const std::string& item) {
  return list.empty() ? item : list + ", " + item;
}

/// A twin has passed when exactly the named checks failed. What is inconclusive beside them does not count as
/// red. `doubt`: why the run proves nothing, whatever the checks say; or empty.
void turn_round(const scenario::Twin& twin, const std::string& doubt, ScenarioResult& result) {
  std::set<std::string> failed;
  for (const auto& check : result.checks) {
    if (check.result.verdict == Verdict::failed) failed.insert(check.name);
  }
  result.twin = TwinResult{twin.name, {twin.fails.begin(), twin.fails.end()}, {failed.begin(), failed.end()}};
  if (result.verdict == Verdict::error) return;
  if (!doubt.empty()) {
    result.verdict = Verdict::inconclusive;
    result.reason = doubt;
    return;
  }
  if (failed == twin.fails) {
    result.verdict = Verdict::passed;
    result.reason.clear();
    return;
  }
  std::string missing, extra;
  for (const auto& name : twin.fails) {
    if (failed.contains(name)) continue;
    std::string one = "`" + name + "` did not fail";
    for (const auto& check : result.checks) {
      if (check.name == name && check.result.verdict == Verdict::inconclusive)
        one += " (inconclusive: " + check.result.reason + ")";
    }
    missing = with_comma(missing, one);
  }
  for (const auto& name : failed) {
    if (!twin.fails.contains(name)) extra = with_comma(extra, "`" + name + "` failed too");
  }
  result.verdict = Verdict::failed;
  result.reason = "the twin `" + twin.name + "` must turn exactly the named checks red: " + missing +
                  (missing.empty() || extra.empty() ? "" : "; ") + extra;
}

}  // namespace

Percentiles percentiles_of(std::vector<double> latencies_ms) {
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const auto rank = [&](double share) {
    const auto n = static_cast<double>(latencies_ms.size());
    return latencies_ms[static_cast<size_t>(std::max(1.0, std::ceil(share * n))) - 1];
  };
  if (latencies_ms.empty()) return {};
  return {latencies_ms.size(), rank(0.5), rank(0.9), rank(0.95), rank(0.99), latencies_ms.back()};
}

Baseline judge_baseline(const scenario::Scenario& scenario, const History& history) {
  if (scenario.timeline.empty()) return {true, "none: no faults, all of it is judged"};
  if (!scenario.baseline) return {true, "waived: " + scenario.baseline_waiver};
  const Calls calls(history);
  const Instant end = history.zero() + *scenario.baseline;
  uint64_t samples = 0, red = 0;
  std::string example;
  for (const auto& call : calls.load_calls()) {
    const auto* load = history.setup().load(call.issued->load);
    // A call that is still under way when the baseline ends is judged by its end, unless a fault could have
    // met it.
    if (!call.done || call.done_at > end) continue;
    ++samples;
    if (load && load->baseline_status.contains(call.done->status)) continue;
    if (red++ == 0)
      example = call.done->call_id + " ended with " + std::string(to_text(call.done->status)) + ": " +
                call.done->message;
  }
  if (red > 0)
    return {false, "not green: " + std::to_string(red) + " of " + plural(samples, "call") + " failed (" +
                       example + ")"};
  if (samples < scenario.baseline_min_samples) {
    return {false, "not green: only " + plural(samples, "call") + " ended within it, " +
                       std::to_string(scenario.baseline_min_samples) + " needed"};
  }
  return {true, "green (" + plural(samples, "call") + ")"};
}

bool settled(const scenario::Scenario& scenario, const History& history, Instant loads_over, Instant now) {
  const Calls calls(history);
  if (now < loads_over + 1s) {
    for (const auto& edge : scenario.edges) {
      for (const auto* attempt : calls.attempts(edge.id)) {
        if (!attempt->end) return false;
      }
    }
  }
  for (const auto& expectation : scenario.expect) {
    const auto& check = *expectation.spec.check;
    if (check.needs() == Duration::zero()) continue;
    const auto window = resolve(expectation.spec.window, history);
    const auto* span = std::get_if<Window>(&window);
    if (!span || now >= span->begin + check.needs()) continue;
    if (!check.settles() || checks::judge(expectation.spec, history, calls).result.verdict != Verdict::passed)
      return false;
  }
  return true;
}

ScenarioResult judge(const scenario::Scenario& scenario, const History& history) {
  ScenarioResult result{.id = scenario.id(),
                        .file = scenario.file,
                        .name = scenario.name,
                        .variant = scenario.variant,
                        .description = scenario.description,
                        .tags = scenario.tags,
                        .seed = scenario.seed,
                        .verdict = Verdict::passed};
  const Calls calls(history);
  for (const auto& [name, why] : scenario.waived) result.waived.emplace_back(name, why);
  result.phases = phases_of(history);
  result.services = services_of(scenario, history);
  result.events = history.events().size();
  const Instant main_begins = begin_of(Phase::main, history);
  for (const auto& load : scenario.loads) result.loads.push_back(load_of(load, calls, main_begins));
  for (const auto& edge : history.setup().edges) {
    if (edge.control || !edge.grpc) continue;
    if (const Joined joined = calls.join(edge.id); !joined.calls.empty()) {
      result.correlated.emplace_back(edge.id.text, text_of(joined.by));
    }
  }
  result.notes = notes_of(history);

  const auto worsen = [&](Verdict verdict, const std::string& reason) {
    const Verdict worse = checks::worst(result.verdict, verdict);
    if (worse != result.verdict && verdict != Verdict::skipped) result.reason = reason;
    result.verdict = worse;
  };
  std::string doubt;
  const auto question = [&](const std::string& reason) {
    if (doubt.empty()) doubt = reason;
    worsen(Verdict::inconclusive, reason);
  };
  const Baseline baseline = judge_baseline(scenario, history);
  result.baseline = baseline.text;
  if (!baseline.green) question("the baseline was " + baseline.text);
  for (const auto& entry : scenario.timeline) {
    result.faults.push_back(fault_of(entry, history));
    if (const auto& fault = result.faults.back(); !fault.fired) question(fault.reason);
    if (const auto came = return_of(entry, span_of(entry.id, history), history); came.failed) {
      const std::string note =
          "service " + entry.on + " did not come back from fault `" + entry.id.text + "`: " + *came.failed;
      result.notes.push_back(note);
      // Beside a check that fails of it there is no doubt; without one nothing was shown.
      worsen(Verdict::inconclusive, note);
    }
  }
  for (const auto& expectation : scenario.expect) {
    const auto judged = checks::judge(expectation.spec, history, calls);
    const auto place = json::place_of(expectation.entry.span);
    const auto* kind = checks::find_check_kind(expectation.spec.kind);
    result.checks.push_back({.name = expectation.spec.name,
                             .kind = expectation.spec.kind,
                             .result = judged.result,
                             .window = judged.window,
                             .universal = kind && kind->universal && place.line == 0,
                             .file = place.file,
                             .line = place.line});
    const auto& verdict = judged.result.verdict;
    worsen(verdict == Verdict::skipped ? Verdict::passed : verdict,
           "check `" + expectation.spec.name + "`: " +
               (verdict == Verdict::failed
                    ? "expected " + judged.result.expected + "; found " + judged.result.actual
                    : judged.result.reason));
  }
  const bool judged = std::any_of(result.checks.begin(), result.checks.end(),
                                  [](const auto& check) { return check.result.verdict != Verdict::skipped; });
  if (!judged) worsen(Verdict::inconclusive, "no check came to a verdict");
  if (!baseline.green) {
    // The rest was not run, and what was cut off then is nobody's failure.
    result.verdict = Verdict::inconclusive;
    result.reason = doubt;
  }
  if (scenario.twin) turn_round(*scenario.twin, doubt, result);
  return result;
}

}  // namespace breakwire::run
