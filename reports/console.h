// What a person reads in the terminal while and after a run. Pure.
#pragma once

#include <string>

#include "harness/run/result.h"

namespace breakwire::reports {

struct ConsoleOptions {
  bool colour = false;
};

/// One line when a scenario has ended: "[ 3/16] passed  sigterm-mid-request  4.2 s". A verdict other than
/// passed is followed by its reason and by what each check that is not green expected and found, with its
/// place in the file.
std::string progress(const run::ScenarioResult& result, size_t done, size_t total,
                     const ConsoleOptions& options);

/// The last lines: the counts, where the time went, and how to replay what was not green.
std::string closing(const run::RunResult& result, const ConsoleOptions& options);

}  // namespace breakwire::reports
