// `breakwire run`: select, run, tell, write report.json.
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/programs.h"
#include "harness/run/replay.h"
#include "harness/run/suite.h"
#include "reports/console.h"
#include "reports/json_report.h"

namespace breakwire::cli {
namespace {

namespace fs = std::filesystem;

std::string wall_clock() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

/// Replaced as a whole, so that a reader never sees half of it.
void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  const fs::path fresh = path.string() + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error("cannot write " + fresh.string() +
                             ": is the disk full, or the folder read-only?");
  fs::rename(fresh, path);
}

/// A file that cannot be read stands in the report as a scenario in error.
run::ScenarioResult bad_file(const std::string& file, const ErrorList& errors, const run::RunResult& beside) {
  const std::string stem = fs::path(file).stem().string();
  const bool taken = std::any_of(beside.scenarios.begin(), beside.scenarios.end(),
                                 [&](const auto& scenario) { return scenario.id == stem; });
  run::ScenarioResult result{.id = taken ? file : stem, .file = file, .name = stem};
  result.verdict = run::Verdict::error;
  result.file_at_fault = true;
  result.reason = render(errors);
  while (result.reason.ends_with('\n')) result.reason.pop_back();
  return result;
}

std::string replay_flags(const RunOptions& options) {
  return options.bin.empty() ? "" : " --bin " + run::shell_word(options.bin);
}

/// Nothing was to be run: an earlier run's report is worth more than an empty one, and is not this run's.
int leave_the_report(const fs::path& folder, const std::string& as_typed) {
  if (fs::exists(folder / "report.json")) {
    std::fprintf(stderr, "  %s/report.json is of an earlier run and was left as it is\n", as_typed.c_str());
  }
  return 4;
}

}  // namespace

int run_command(const RunOptions& options) {
  const Interrupt interrupt("ending what runs and writing a partial report");
  const Selected selected = select(options.selection);
  for (const auto& note : selected.notes) std::fprintf(stderr, "%s\n", note.c_str());
  for (const auto& [file, errors] : selected.bad) std::fputs(render(errors).c_str(), stderr);
  std::fputs(render(selected.wrong).c_str(), stderr);
  const auto programs = find_programs(options.bin);
  if (!programs || !may_be_report_folder(options.report)) return 4;
  const unsigned cores = std::max(2u, std::thread::hardware_concurrency());
  const reports::ConsoleOptions console{.colour = isatty(STDOUT_FILENO) == 1};
  run::SuiteOptions suite{.jobs = options.jobs == 0 ? cores : options.jobs,
                          .bin = programs->bin,
                          .guard_program = programs->guard,
                          .report_dir = fs::absolute(options.report).lexically_normal().string(),
                          .program = options.command.empty() ? "breakwire" : options.command.front(),
                          .replay_flags = replay_flags(options)};
  suite.progress.ended = [&](const run::ScenarioResult& result, size_t done, size_t total) {
    std::fputs(reports::progress(result, done, total, console).c_str(), stdout);
    std::fflush(stdout);
  };
  run::RunResult result;
  const std::string started = wall_clock();
  if (selected.scenarios.empty() || !selected.wrong.empty()) {
    std::fprintf(stderr, "error: nothing to run: %zu file%s looked at, no scenario selected\n",
                 selected.files, selected.files == 1 ? "" : "s");
    if (selected.bad.empty()) return leave_the_report(suite.report_dir, options.report);
  } else {
    if (!can_write_report(options.report)) return 3;
    std::printf("running %zu scenario%s, %u at a time; report in %s\n", selected.scenarios.size(),
                selected.scenarios.size() == 1 ? "" : "s", suite.jobs, options.report.c_str());
    std::fflush(stdout);
    result = run_suite(selected.scenarios, suite, interrupt.token());
  }
  result.version = BREAKWIRE_VERSION;
  result.started = started;
  result.command = options.command;
  result.jobs = suite.jobs;
  for (const auto& [file, errors] : selected.bad) result.scenarios.push_back(bad_file(file, errors, result));
  write_file(fs::path(suite.report_dir) / "report.json", reports::json_report(result));
  std::fputs(reports::closing(result, console).c_str(), stdout);
  std::printf("report: %s/report.json\n", options.report.c_str());
  return exit_code_of(result);
}

}  // namespace breakwire::cli
