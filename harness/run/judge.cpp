#include "harness/run/judge.h"

#include <algorithm>

#include "harness/checks/percentile.h"
#include "harness/history/ndjson.h"
#include "harness/run/fault_result.h"
#include "harness/run/twin.h"

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

LoadResult load_of(const scenario::Load& load, const Calls& calls, Instant main_begins) {
  LoadResult result{.id = load.id, .via = load.via, .method = load.method, .command = load.command};
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

}  // namespace

Percentiles percentiles_of(std::vector<double> latencies_ms) {
  if (latencies_ms.empty()) return {};
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const auto rank = [&](double share) {
    return latencies_ms[checks::nearest_rank(latencies_ms.size(), share)];
  };
  return {latencies_ms.size(), rank(0.5), rank(0.9), rank(0.95), rank(0.99), latencies_ms.back()};
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
    result.faults.push_back(fault_of(entry, history, calls));
    const auto& fault = result.faults.back();
    if (!fault.fired) {
      question(fault.reason);
    } else if (fault.fidelity != entry.kind->fidelity) {
      result.notes.push_back("fault " + entry.id.text + " was not the real thing: " + fault.fidelity);
    }
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
