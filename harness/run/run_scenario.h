// Runs one scenario from its first process to its verdict.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "harness/process/guard.h"
#include "harness/process/postgres_template.h"
#include "harness/run/result.h"
#include "harness/scenario/placeholders.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

struct Workshop {
  process::Guard& guard;
  process::PostgresTemplate& postgres;
  std::string bin;         // what `${bin}` stands for
  std::string report_dir;  // logs and histories go below it; must exist
  scenario::Lookup environment;
  std::string program;       // how breakwire was called, for the replay command line
  std::string replay_flags;  // appended to it
};

/// Never throws for what services or files do: trouble with the environment becomes verdict `error` with its
/// sentence. `stop`: the run is being interrupted; what was seen so far is judged no further than `error:
/// interrupted`.
ScenarioResult run_scenario(const scenario::Scenario& scenario, const Workshop& workshop,
                            std::stop_token stop);

}  // namespace breakwire::run
