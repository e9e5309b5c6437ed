// What a caller may conclude from a status about the effect its call was to have. Pure.
#pragma once

#include <set>

#include "base/status_code.h"

namespace breakwire::checks {

enum class Effect {
  happened,   // acknowledged: it must exist, and must go on existing
  never,      // definitely refused: it must not exist, now or later
  uncertain,  // both are right
};

/// The one table. A status that services and gRPC itself give only instead of doing the work is `never`; one
/// that a call may also get after its work was done is `uncertain`. ALREADY_EXISTS is `never` only when the
/// call went out exactly once: after a repetition it may mean "by your own first attempt". Codes in
/// `definite` are `never` because the service says so.
Effect effect_of(StatusCode code, bool went_out_once, const std::set<StatusCode>& definite = {});

}  // namespace breakwire::checks
