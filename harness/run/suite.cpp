#include "harness/run/suite.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "harness/run/run_scenario.h"
#include "harness/run/store.h"

namespace breakwire::run {
namespace {

std::optional<std::string> environment_variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

ScenarioResult skipped(const scenario::Scenario& scenario, std::string why) {
  return {.id = scenario.id(),
          .file = scenario.file,
          .name = scenario.name,
          .variant = scenario.variant,
          .description = scenario.description,
          .tags = scenario.tags,
          .seed = scenario.seed,
          .verdict = Verdict::skipped,
          .reason = std::move(why)};
}

/// What an earlier run left of these scenarios would be taken for this run's. Nothing else is touched: the
/// folder may be somebody's own, with a `logs` of his.
void clean(const std::filesystem::path& report_dir, const std::vector<scenario::Scenario>& scenarios) {
  std::filesystem::create_directories(report_dir);
  std::filesystem::remove(report_dir / "report.json");
  for (const auto& scenario : scenarios) {
    std::filesystem::remove_all(report_dir / "logs" / file_name_of(scenario));
    std::filesystem::remove(report_dir / "history" / (file_name_of(scenario) + ".ndjson"));
  }
}

void add_up_times(RunResult& run) {
  for (const auto& scenario : run.scenarios) {
    for (const auto& phase : scenario.phases) {
      auto& times = run.where_time_went;
      auto found =
          std::find_if(times.begin(), times.end(), [&](const auto& t) { return t.first == phase.name; });
      if (found == times.end()) found = times.insert(times.end(), {phase.name, Duration::zero()});
      found->second += phase.ended - phase.began;
    }
  }
}

}  // namespace

RunResult run_suite(const std::vector<scenario::Scenario>& scenarios, const SuiteOptions& options,
                    std::stop_token stop) {
  const Instant began = std::chrono::steady_clock::now();
  clean(options.report_dir, scenarios);
  process::Guard guard({.program = options.guard_program});
  process::PostgresTemplate postgres(guard);
  const Workshop workshop{.guard = guard,
                          .postgres = postgres,
                          .bin = options.bin,
                          .report_dir = options.report_dir,
                          .environment = environment_variable,
                          .program = options.program,
                          .replay_flags = options.replay_flags};
  RunResult run;
  run.jobs = options.jobs;
  run.scenarios.resize(scenarios.size());
  std::atomic<size_t> next = 0;
  std::mutex telling;
  size_t done = 0;
  const auto work = [&] {
    for (size_t i = next++; i < scenarios.size(); i = next++) {
      if (stop.stop_requested()) {
        run.scenarios[i] = skipped(scenarios[i], "interrupted before it began");
        continue;
      }
      {
        const std::lock_guard lock(telling);
        if (options.progress.began) options.progress.began(scenarios[i]);
      }
      try {
        run.scenarios[i] = run_scenario(scenarios[i], workshop, stop);
      } catch (const std::exception& error) {
        run.scenarios[i] = skipped(scenarios[i], error.what());
        run.scenarios[i].verdict = Verdict::error;
      }
      const std::lock_guard lock(telling);
      ++done;
      if (options.progress.ended) options.progress.ended(run.scenarios[i], done, scenarios.size());
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < std::max(1u, options.jobs) && i < scenarios.size(); ++i)
      workers.emplace_back(work);
  }
  run.interrupted = stop.stop_requested();
  add_up_times(run);
  run.took = std::chrono::steady_clock::now() - began;
  return run;
}

Summary RunResult::summary() const {
  Summary sum;
  sum.total = scenarios.size();
  bool any = false;
  for (const auto& scenario : scenarios) {
    switch (scenario.verdict) {
      case Verdict::passed:
        ++sum.passed;
        break;
      case Verdict::failed:
        ++sum.failed;
        break;
      case Verdict::inconclusive:
        ++sum.inconclusive;
        break;
      case Verdict::error:
        ++sum.error;
        break;
      case Verdict::skipped:
        ++sum.skipped;
        break;
    }
    sum.verdict = any ? checks::worst(sum.verdict, scenario.verdict) : scenario.verdict;
    any = true;
  }
  // What was left out proves nothing: the one word must not say otherwise.
  if (sum.verdict == Verdict::passed && sum.skipped > 0) sum.verdict = Verdict::inconclusive;
  if (!any || interrupted) sum.verdict = Verdict::error;
  return sum;
}

int exit_code_of(const RunResult& result) {
  const Summary sum = result.summary();
  const bool file = std::any_of(result.scenarios.begin(), result.scenarios.end(),
                                [](const auto& s) { return s.file_at_fault; });
  if (sum.total == 0 || file) return 4;
  if (sum.error > 0 || result.interrupted) return 3;
  if (sum.failed > 0) return 1;
  if (sum.inconclusive > 0 || sum.skipped > 0) return 2;
  return 0;
}

}  // namespace breakwire::run
