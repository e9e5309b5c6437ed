#include "harness/run/run_scenario.h"

#include <filesystem>
#include <set>

#include "harness/history/ndjson.h"
#include "harness/load/load.h"
#include "harness/run/conductor.h"
#include "harness/run/judge.h"
#include "harness/run/store.h"
#include "harness/watch/health.h"

namespace breakwire::run {
namespace {

using history::Phase;

Instant now() { return std::chrono::steady_clock::now(); }

/// The scenario's own time is over, or somebody interrupts the run.
struct Cut {
  bool timed_out = false;
  bool interrupted = false;
  explicit operator bool() const { return timed_out || interrupted; }
};

/// One run of one scenario: setup, baseline, main, settling, teardown.
class Run {
 public:
  Run(const scenario::Scenario& scenario, const Workshop& workshop, std::stop_token stop)
      : scenario_(scenario),
        workshop_(workshop),
        stop_(std::move(stop)),
        deadline_(now() + scenario.timeout),
        timeline_(scenario),
        recorder_(setup_of(scenario), timeline_),
        wake_(stop_, [this] { recorder_.wake(); }) {}

  ScenarioResult go() {
    std::optional<Error> trouble;
    bool file_at_fault = false;
    std::vector<std::pair<ServiceId, std::vector<std::string>>> words;
    std::vector<ServiceId> killed;
    relay::Overhead overhead;
    const Instant began = now();
    begin(Phase::setup);
    const std::string logs = workshop_.report_dir + "/logs/" + file_name_of(scenario_);
    std::filesystem::create_directories(logs);
    try {
      Topology topology(scenario_,
                        {.guard = workshop_.guard,
                         .postgres = workshop_.postgres,
                         .bin = workshop_.bin,
                         .log_dir = logs,
                         .environment = workshop_.environment},
                        recorder_, stop_);
      try {
        if (!stop_.stop_requested()) drive(topology, find_methods(topology, file_at_fault));
      } catch (const SetupError& error) {
        trouble = error.error();  // the services still get a proper end
      }
      overhead = topology.network().overhead();
      begin(Phase::teardown);
      killed = topology.stop();
      for (const auto& [id, service] : topology.services()) words.emplace_back(id, service->last_output(12));
    } catch (const SetupError& error) {
      trouble = error.error();
    } catch (const std::exception& error) {
      trouble = Error{.what = error.what()};
    }
    begin(Phase::ended);
    return conclude(began, trouble, file_at_fault, words, killed, overhead);
  }

 private:
  using Methods = std::vector<std::shared_ptr<const load::Method>>;

  void begin(Phase phase) { recorder_.record(now(), history::PhaseBegan{phase}); }

  Methods find_methods(Topology& topology, bool& file_at_fault) {
    Methods methods;
    for (const auto& load : scenario_.loads) {
      const auto& callee = *scenario_.service(scenario_.edge(load.via)->to);
      auto method = load::find_method(load.method, callee.descriptors, topology.control_target_of(callee.id),
                                      5s, load.span);
      if (!method) {
        blame_if_dead(callee, topology);
        file_at_fault = true;
        throw SetupError(method.errors().front());
      }
      if (auto encoded = (*method)->encode(load.request); !encoded) {
        file_at_fault = true;
        throw SetupError(encoded.errors().front());
      }
      methods.push_back(*method);
    }
    return methods;
  }

  /// A service that was ready and then died cannot say which methods it has; that is not the file's fault.
  void blame_if_dead(const scenario::Service& service, Topology& topology) {
    const auto lives = recorder_.locked(
        [](const history::History& history, Timeline&) { return history::process_lives(history); });
    for (const auto& life : lives) {
      if (life.service != service.id || !life.exited) continue;
      throw SetupError(json::error_at(
          service.span, "service `" + service.id.text + "` ended before the load began (" +
                            process::to_text(process::ExitStatus{.code = life.code, .signal = life.signal}) +
                            ")" + quoted(topology.service(service.id).last_output(12))));
    }
  }

  /// Everybody whose health somebody asks about, or who is known to answer.
  std::vector<std::unique_ptr<watch::HealthPoller>> poll_health(Topology& topology) {
    std::map<ServiceId, std::set<std::string>> names;
    const auto wish = [&](const ServiceId& id, const std::string& probe) {
      const auto* service = scenario_.service(id);
      if (!service) return;
      names[id].insert(probe == "liveness"    ? service->liveness
                       : probe == "readiness" ? service->readiness
                                              : "");
    };
    for (const auto& service : scenario_.services) {
      const auto* run = std::get_if<scenario::RunCommand>(&service.what);
      if (!run || !run->ready.grpc_health) continue;
      wish(service.id, "liveness");
      wish(service.id, "readiness");
    }
    for (const auto& expectation : scenario_.expect) {
      for (const auto& wished : expectation.spec.check->health_wishes()) wish(wished.service, wished.name);
    }
    for (const auto& entry : scenario_.timeline) {
      const auto* when = std::get_if<scenario::When>(&entry.trigger);
      if (const auto* health = when ? std::get_if<scenario::WhenHealth>(when) : nullptr)
        wish(health->service, health->name);
    }
    std::vector<std::unique_ptr<watch::HealthPoller>> pollers;
    for (const auto& [service, asked] : names) {
      pollers.push_back(watch::poll_health({.service = service,
                                            .target = topology.control_target_of(service),
                                            .names = {asked.begin(), asked.end()}},
                                           recorder_));
    }
    return pollers;
  }

  void drive(Topology& topology, const Methods& methods) {
    const auto pollers = poll_health(topology);
    Conductor conductor(scenario_, topology, recorder_);
    const bool baseline = scenario_.baseline.has_value() && !scenario_.timeline.empty();
    const Instant zero = now();
    recorder_.record(zero, history::PhaseBegan{baseline ? Phase::baseline : Phase::main});
    recorder_.locked([&](const auto&, Timeline& timeline) {
      timeline.start(zero);
      if (!baseline) timeline.listen(zero);
    });
    std::vector<std::unique_ptr<load::RunningLoad>> loads;
    for (size_t i = 0; i < scenario_.loads.size(); ++i) {
      const auto& load = scenario_.loads[i];
      loads.push_back(load::start({.load = load,
                                   .method = methods[i],
                                   .target = topology.target_of(load.via),
                                   .seed = scenario_.seed},
                                  recorder_));
    }
    bool go_on = true;
    if (baseline) go_on = hold_baseline(zero + *scenario_.baseline);
    if (go_on) {
      hold_main(conductor);
      if (!cut_) settle(conductor);
    }
    for (const auto& load : loads) load->stop();
    conductor.clear_all();
  }

  bool over(Instant at) {
    cut_.interrupted = stop_.stop_requested();
    cut_.timed_out = at >= deadline_;
    return static_cast<bool>(cut_);
  }

  /// False when it was not green: what follows would prove nothing, so it is left out.
  bool hold_baseline(Instant end) {
    for (Instant at = now(); at < end; at = now()) {
      if (over(at)) return false;
      recorder_.wait_until(std::min(end, deadline_));
    }
    const auto baseline = recorder_.locked(
        [&](const history::History& history, Timeline&) { return judge_baseline(scenario_, history); });
    if (!baseline.green) return false;
    begin(Phase::main);
    recorder_.locked([&](const auto&, Timeline& timeline) { timeline.listen(now()); });
    return true;
  }

  /// When the loads are over: at once when all have ended. A call without a deadline that nobody answers
  /// never ends; for those there is 1 s of patience after the load's `for`. nullopt: not known yet.
  std::optional<Instant> patience_with_loads(const history::History& history) const {
    std::set<LoadId> ended;
    history::each<history::LoadEnded>(
        history, [&](const auto&, const history::LoadEnded& load) { ended.insert(load.load); });
    Instant patience = history.zero();
    for (const auto& load : scenario_.loads) {
      if (ended.contains(load.id)) continue;
      if (load.deadline || !load.length) return std::nullopt;
      patience = std::max(patience, history.zero() + *load.length + 1s);
    }
    return patience;
  }

  void hold_main(Conductor& conductor) {
    for (;;) {
      conductor.perform_due();
      const Instant at = now();
      if (over(at)) return;
      std::optional<Instant> next, patience;
      const bool loads_over = recorder_.locked([&](const history::History& history, Timeline& timeline) {
        next = timeline.next();
        patience = patience_with_loads(history);
        return patience && *patience <= at;
      });
      if (loads_over && !next) return;
      Instant until = std::min(next.value_or(deadline_), deadline_);
      if (patience && *patience > at) until = std::min(until, *patience);
      recorder_.wait_until(until);
    }
  }

  void settle(Conductor& conductor) {
    begin(Phase::settling);
    const Instant loads_over = now();
    for (;;) {
      conductor.perform_due();
      const Instant at = now();
      if (over(at)) return;
      const bool done = recorder_.locked([&](const history::History& history, Timeline& timeline) {
        return timeline.quiet() && settled(scenario_, history, loads_over, at);
      });
      if (done) return;
      // Asked again every so often rather than at every event: judging costs more than waiting.
      recorder_.wait_until(std::min(at + 20ms, deadline_));
    }
  }

  ScenarioResult conclude(Instant began, const std::optional<Error>& trouble, bool file_at_fault,
                          const std::vector<std::pair<ServiceId, std::vector<std::string>>>& words,
                          const std::vector<ServiceId>& killed, const relay::Overhead& overhead) {
    const history::History history = recorder_.finish();
    ScenarioResult result = judge(scenario_, history);
    if (cut_.interrupted || (stop_.stop_requested() && !trouble)) {
      result.verdict = Verdict::error;
      result.reason = "interrupted before it was over";
    } else if (cut_.timed_out) {
      result.verdict = Verdict::error;
      result.reason = "not over within its `timeout` of " + to_text(scenario_.timeout);
    } else if (trouble) {
      result.verdict = Verdict::error;
      result.reason = render(*trouble);
      if (result.reason.starts_with("error: ")) result.reason.erase(0, 7);
      while (result.reason.ends_with('\n')) result.reason.pop_back();
      result.file_at_fault = file_at_fault;
      // Nothing was driven: the checks have nothing to say.
      result.checks.clear();
      for (auto& fault : result.faults) fault.reason = "the scenario could not be set up";
    }
    result.relay_p50_us = overhead.p50_us;
    result.relay_p99_us = overhead.p99_us;
    for (auto& service : result.services) {
      if (service.kind != "external")
        service.log = "logs/" + file_name_of(scenario_) + "/" + service.id.text + ".log";
      for (const auto& [id, lines] : words) {
        const bool blamed = std::any_of(service.processes.begin(), service.processes.end(),
                                        [](const auto& p) { return !p.expected; });
        if (id == service.id && blamed) service.last_output = lines;
      }
    }
    for (const auto& id : killed) {
      result.notes.push_back("service " + id.text +
                             " did not end within its grace when breakwire stopped it, and was killed");
    }
    result.history = "history/" + file_name_of(scenario_) + ".ndjson";
    const Secrets secrets(scenario_.secrets, workshop_.environment);
    secrets.hide_in(result);
    store_history(history, workshop_.report_dir + "/" + result.history, secrets);
    result.replay = "breakwire run '" + scenario_.file + "' --only '" + scenario_.id() + "' --seed " +
                    std::to_string(scenario_.seed) + workshop_.replay_flags;
    result.took = now() - began;
    return result;
  }

  const scenario::Scenario& scenario_;
  const Workshop& workshop_;
  const std::stop_token stop_;
  const Instant deadline_;
  Timeline timeline_;
  Recorder recorder_;
  std::stop_callback<std::function<void()>> wake_;
  Cut cut_;
};

}  // namespace

ScenarioResult run_scenario(const scenario::Scenario& scenario, const Workshop& workshop,
                            std::stop_token stop) {
  return Run(scenario, workshop, std::move(stop)).go();
}

}  // namespace breakwire::run
