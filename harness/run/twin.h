// The verdict of a flawed twin: it is there to be caught. Pure.
#pragma once

#include "harness/run/result.h"
#include "harness/scenario/scenario.h"

namespace breakwire::run {

/// Turns a judged result round: a twin has passed when exactly the named checks failed, has failed when one
/// of them passed or another failed too, and is inconclusive when one of them is. What is inconclusive beside
/// the named ones does not count as red and is listed in the notes. `doubt`: why the run proves nothing,
/// whatever the checks say; or empty. An `error` stays one.
void turn_round(const scenario::Twin& twin, const std::string& doubt, ScenarioResult& result);

}  // namespace breakwire::run
