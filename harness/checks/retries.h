// What the checks of retries have in common: attempts and backoff. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "harness/history/calls.h"

namespace breakwire::checks {

/// The callee took nothing of it (REFUSED_STREAM, GOAWAY): gRPC repeats such an attempt once by itself,
/// whatever the policy (gRFC A6, transparent retries).
bool was_refused(const history::Attempt& attempt);

/// Why a judgement would rest on a guess: attempts that `concerns` picks could belong to more than one call.
/// nullopt when none could.
std::optional<std::string> unclear_join(const history::Joined& joined,
                                        const std::function<bool(const history::Attempt&)>& concerns);

}  // namespace breakwire::checks
