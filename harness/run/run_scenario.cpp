#include "harness/run/run_scenario.h"

#include <filesystem>
#include <set>
#include <utility>

#include "harness/history/ndjson.h"
#include "harness/load/load.h"
#include "harness/run/ask.h"
#include "harness/run/command_load.h"
#include "harness/run/conductor.h"
#include "harness/run/judge.h"
#include "harness/run/replay.h"
#include "harness/run/store.h"
#include "harness/run/watching.h"
#include "harness/watch/scheduling.h"

namespace breakwire::run {
namespace {

using history::Phase;

Instant now() { return std::chrono::steady_clock::now(); }

/// The scenario's own time is over, somebody interrupts the run, or nothing is left of it.
struct Cut {
  bool timed_out = false;
  bool interrupted = false;
  bool guard_lost = false;
  explicit operator bool() const { return timed_out || interrupted || guard_lost; }
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
        seen_(setup_of(scenario)),
        wake_(stop_, [this] { recorder_.wake(); }) {}

  ScenarioResult go() {
    std::optional<Error> trouble;
    std::vector<std::pair<ServiceId, std::vector<std::string>>> words;
    std::vector<ServiceId> killed;
    relay::Overhead overhead;
    const Instant began = now();
    const auto attempt = [&](const auto& work) {
      try {
        work();
      } catch (const SetupError& error) {
        if (!trouble && !stop_.stop_requested()) trouble = error.error();
      } catch (const std::exception& error) {
        if (!trouble && !stop_.stop_requested()) trouble = Error{.what = error.what()};
      }
    };
    begin(Phase::setup);
    attempt([&] {
      const std::string logs = workshop_.report_dir + "/logs/" + file_name_of(scenario_);
      std::filesystem::create_directories(logs);
      Topology topology(scenario_,
                        {.guard = workshop_.guard,
                         .postgres = workshop_.postgres,
                         .bin = workshop_.bin,
                         .log_dir = logs,
                         .environment = workshop_.environment},
                        recorder_);
      bool started = false;
      attempt([&] {
        topology.start(stop_);
        started = true;
        if (!stop_.stop_requested()) drive(topology, find_methods(topology));
      });
      // While all of it lives: what ends from here on ends because breakwire ends it.
      begin_teardown();
      attempt([&] {
        overhead = topology.network().overhead();
        // A service that waits for one that cannot be had is not asked: it is killed with the topology.
        if (started) killed = topology.stop();
      });
      for (const auto& [id, service] : topology.services()) words.emplace_back(id, service->last_output(12));
    });
    begin_teardown();
    begin(Phase::ended);
    return conclude(began, trouble, words, killed, overhead);
  }

 private:
  /// One for each load; none for a load that is a command.
  using Methods = std::vector<std::shared_ptr<const load::Method>>;

  void begin(Phase phase) { recorder_.record(now(), history::PhaseBegan{phase}); }
  void begin_teardown() {
    if (!std::exchange(torn_down_, true)) begin(Phase::teardown);
  }

  Methods find_methods(Topology& topology) {
    Methods methods;
    for (const auto& load : scenario_.loads) {
      if (!load.command.empty()) {
        command_of(command_options(load, topology));  // throws for what has no value
        methods.emplace_back();
        continue;
      }
      const auto& callee = *scenario_.service(scenario_.edge(load.via)->to);
      bool unanswered = false;
      auto method = load::find_method(load.method, callee.descriptors, topology.control_target_of(callee.id),
                                      5s, load.span, stop_, &unanswered);
      if (!method) {
        blame_if_dead(callee, topology);
        file_at_fault_ = !unanswered;
        throw SetupError(method.errors().front());
      }
      if (const auto problems = load::problems_of(load, **method, scenario_.seed); !problems.empty()) {
        file_at_fault_ = true;
        throw SetupError(problems.front());
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

  void drive(Topology& topology, const Methods& methods) {
    Watching watching(scenario_, topology, recorder_);
    Conductor conductor(scenario_, topology, recorder_);
    std::vector<std::unique_ptr<load::RunningLoad>> loads;
    std::exception_ptr trouble;
    try {
      conduct(topology, methods, conductor, watching, loads);
    } catch (...) {
      trouble = std::current_exception();
    }
    // Before anything is healed or cancelled: what calls get then is not the services' answer.
    begin_teardown();
    for (const auto& load : loads) load->stop();
    conductor.clear_all();
    if (trouble) std::rethrow_exception(trouble);
  }

  void conduct(Topology& topology, const Methods& methods, Conductor& conductor, Watching& watching,
               std::vector<std::unique_ptr<load::RunningLoad>>& loads) {
    const bool baseline = scenario_.baseline.has_value() && !scenario_.timeline.empty();
    driven_ = true;
    const Instant zero = now();
    recorder_.record(zero, history::PhaseBegan{baseline ? Phase::baseline : Phase::main});
    recorder_.locked([&](const auto&, Timeline& timeline) {
      timeline.start(zero);
      if (!baseline) timeline.listen(zero);
    });
    for (size_t i = 0; i < scenario_.loads.size() && !stop_.stop_requested(); ++i) {
      const auto& load = scenario_.loads[i];
      if (!load.command.empty()) {
        loads.push_back(start_command(command_options(load, topology)));
        continue;
      }
      loads.push_back(load::start({.load = load,
                                   .method = methods[i],
                                   .target = topology.target_of(load.via),
                                   .seed = scenario_.seed,
                                   .fields = wished_fields()},
                                  recorder_));
    }
    if (baseline && !hold_baseline(zero + *scenario_.baseline)) return;
    hold_main(conductor);
    if (!cut_) settle(conductor);
    if (cut_) return;
    watching.catch_up();
    notes_ = watching.notes();
    ask_afterwards(scenario_, topology, recorder_, deadline_, stop_);
    over(now());
  }

  CommandLoadOptions command_options(const scenario::Load& load, const Topology& topology) {
    return {.load = load,
            .guard = workshop_.guard,
            .recorder = recorder_,
            .addresses = topology.addresses(),
            .bin = workshop_.bin,
            .environment = workshop_.environment,
            .log_path = workshop_.report_dir + "/" + log_of(load)};
  }

  /// Below the report folder. No service's log is called so: there is no `.` in a service's name.
  std::string log_of(const scenario::Load& load) const {
    return "logs/" + file_name_of(scenario_) + "/" + load.id.text + ".load.log";
  }

  /// Of every load's requests.
  std::set<std::string> wished_fields() const {
    std::set<std::string> fields;
    for (const auto& wish : wishes<checks::FieldWish>(scenario_)) fields.insert(wish.field);
    return fields;
  }

  bool over(Instant at) {
    cut_.interrupted = stop_.stop_requested();
    cut_.timed_out = at >= deadline_;
    cut_.guard_lost = workshop_.guard.lost();
    return static_cast<bool>(cut_);
  }

  /// False when it was not green: what follows would prove nothing, so it is left out.
  bool hold_baseline(Instant end) {
    for (Instant at = now(); at < end; at = now()) {
      if (over(at)) return false;
      recorder_.wait_until(std::min(end, deadline_));
    }
    recorder_.catch_up(seen_);
    if (!judge_baseline(scenario_, seen_).green) return false;
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
      // A command is ended after its `for`, whatever it does.
      if (!load.command.empty() || load.deadline || !load.length) return std::nullopt;
      patience = std::max(patience, history.zero() + *load.length + 1s);
    }
    return patience;
  }

  void hold_main(Conductor& conductor) {
    for (;;) {
      conductor.perform_due();
      const Instant at = now();
      if (over(at)) return;
      recorder_.catch_up(seen_);
      const auto patience = patience_with_loads(seen_);
      const auto next = next_due();
      if (patience && *patience <= at && !next) return;
      Instant until = std::min(next.value_or(deadline_), deadline_);
      if (patience && *patience > at) until = std::min(until, *patience);
      recorder_.wait_until(until);
    }
  }

  std::optional<Instant> next_due() {
    return recorder_.locked([](const auto&, Timeline& timeline) { return timeline.next(); });
  }

  /// Whether every service that was started again is ready or has failed; longer than it can take is not
  /// waited for.
  bool all_back(Instant at) const {
    for (const auto& entry : scenario_.timeline) {
      if (entry.kind->lifetime != faults::Lifetime::down) continue;
      const auto span = history::span_of(entry.id, seen_);
      const auto* service = scenario_.service(ServiceId{entry.on});
      if (!span.cleared || !service) continue;
      const auto* run = std::get_if<scenario::RunCommand>(&service->what);
      // Its old family has to be gone first; a database's within 10 s, as it is ready within 10 s.
      const Duration longest = run ? run->stop.grace + 5s + run->ready.within : Duration(20s);
      if (at >= *span.cleared + longest) continue;
      const bool answered = std::any_of(seen_.events().begin(), seen_.events().end(), [&](const auto& event) {
        const auto* ready = std::get_if<history::ServiceReady>(&event.what);
        const auto* failed = std::get_if<history::RestartFailed>(&event.what);
        return event.at >= *span.cleared &&
               ((ready && ready->service == service->id) || (failed && failed->service == service->id));
      });
      if (!answered) return false;
    }
    return true;
  }

  void settle(Conductor& conductor) {
    begin(Phase::settling);
    const Instant loads_over = now();
    for (;;) {
      conductor.perform_due();
      const Instant at = now();
      if (over(at)) return;
      recorder_.catch_up(seen_);
      if (!next_due() && all_back(at) && settled(scenario_, seen_, loads_over, at)) return;
      // Asked again every so often rather than at every event: judging costs more than waiting.
      recorder_.wait_until(std::min(at + 20ms, deadline_));
    }
  }

  ScenarioResult conclude(Instant began, const std::optional<Error>& trouble,
                          const std::vector<std::pair<ServiceId, std::vector<std::string>>>& words,
                          const std::vector<ServiceId>& killed, const relay::Overhead& overhead) {
    const history::History history = recorder_.finish();
    ScenarioResult result = judge(scenario_, history);
    if (cut_.interrupted || (stop_.stop_requested() && !trouble)) {
      result.verdict = Verdict::error;
      result.reason = "interrupted before it was over";
    } else if (workshop_.guard.lost()) {
      result.verdict = Verdict::error;
      result.reason = "breakwire's guard was killed, and every service with it";
    } else if (cut_.timed_out) {
      result.verdict = Verdict::error;
      result.reason = "not over within its `timeout` of " + to_text(scenario_.timeout);
    } else if (trouble) {
      result.verdict = Verdict::error;
      result.reason = render(*trouble);
      if (result.reason.starts_with("error: ")) result.reason.erase(0, 7);
      while (result.reason.ends_with('\n')) result.reason.pop_back();
      result.file_at_fault = file_at_fault_;
      if (!driven_) {
        // The checks have nothing to say.
        result.checks.clear();
        for (auto& fault : result.faults) fault.reason = "the scenario could not be set up";
      }
    }
    result.relay_p50_us = overhead.p50_us;
    result.relay_p99_us = overhead.p99_us;
    for (auto& load : result.loads) {
      for (const auto& written : scenario_.loads) {
        if (written.id == load.id && !written.command.empty()) load.log = log_of(written);
      }
    }
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
    for (const auto& note : notes_) result.notes.push_back(note);
    if (const auto lateness = scheduling_.so_far(); lateness.stalls > 0) {
      result.notes.push_back(
          "this machine was late: a timer came up to " +
          to_text(Duration(std::chrono::round<std::chrono::milliseconds>(lateness.worst))) + " late, " +
          std::to_string(lateness.stalls) + (lateness.stalls == 1 ? " time" : " times") + " by more than " +
          to_text(watch::Scheduling::stall) + "; read times in this run against that");
    }
    result.history = "history/" + file_name_of(scenario_) + ".ndjson";
    const Secrets secrets(scenario_.secrets, workshop_.environment);
    secrets.hide_in(result);
    store_history(history, workshop_.report_dir + "/" + result.history, secrets);
    result.replay = replay_command(workshop_.program, scenario_, workshop_.replay_flags);
    result.took = now() - began;
    return result;
  }

  const scenario::Scenario& scenario_;
  const Workshop& workshop_;
  const std::stop_token stop_;
  const Instant deadline_;
  Timeline timeline_;
  Recorder recorder_;
  history::History seen_;  // a copy for the conducting thread to judge while others record
  std::stop_callback<std::function<void()>> wake_;
  Cut cut_;
  std::vector<std::string> notes_;  // the watchers'
  bool file_at_fault_ = false;      // the load asks for what the service does not have
  bool driven_ = false;             // t = 0 has been
  bool torn_down_ = false;
  const watch::Scheduling scheduling_;
};

}  // namespace

ScenarioResult run_scenario(const scenario::Scenario& scenario, const Workshop& workshop,
                            std::stop_token stop) {
  return Run(scenario, workshop, std::move(stop)).go();
}

}  // namespace breakwire::run
