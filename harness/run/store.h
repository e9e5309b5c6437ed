// Writes a history to its NDJSON file. Touches that file only.
#pragma once

#include <string>

#include "harness/history/history.h"
#include "harness/run/secrets.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// A name for files about this scenario: its id with anything unusual replaced, so that it can be a path.
std::string file_name_of(const scenario::Scenario& scenario);

/// One header line and one line per event. Secrets are hidden. Throws std::system_error when it
/// cannot be written.
void store_history(const history::History& history, const std::string& path, const Secrets& secrets);

}  // namespace breakwire::run
