// Runs many scenarios, several at a time, under one guard.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/run/result.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// Told from the threads that run scenarios, one call at a time.
struct Progress {
  std::function<void(const scenario::Scenario& begun)> began;
  std::function<void(const ScenarioResult& result, size_t done, size_t total)> ended;
};

struct SuiteOptions {
  unsigned jobs = 2;
  std::string bin;            // what `${bin}` stands for
  std::string guard_program;  // path of breakwire-guard
  std::string report_dir;  // made when missing; what an earlier run of these scenarios left in it is replaced
  std::string program = "breakwire";  // how it was called, for replays
  std::string replay_flags;           // see replay_command
  Progress progress;
};

/// Results stand in the order of `scenarios`. After `stop`, running scenarios end as errors and the others
/// are skipped. Throws std::exception when not even the guard or the report folder can be had.
RunResult run_suite(const std::vector<scenario::Scenario>& scenarios, const SuiteOptions& options,
                    std::stop_token stop);

}  // namespace breakwire::run
