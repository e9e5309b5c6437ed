// How checks speak, and what several of them select: for the .cpp files of this folder. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/checks/check.h"

namespace breakwire::checks {

using breakwire::to_text;  // of durations, codes and amounts, beside this namespace's own

/// "0.4 ms", "132 ms", "2.31 s": as precise as a reader needs.
std::string brief(Duration duration);
/// "1 call", "3 calls".
std::string counted(uint64_t count, const std::string& noun);
/// "OK or NOT_FOUND".
std::string any_of(const std::vector<StatusCode>& codes);
/// "298 OK, 2 UNAVAILABLE", most frequent first.
std::string tally(const std::map<StatusCode, uint64_t>& counts);
/// "a; b; c".
std::string sentence(const std::vector<std::string>& parts);

/// "2.104 s": when, counted from t = 0.
std::string moment(Instant t, const Question& question);
/// "shoppers-17", or "orders->inventory connection 3 stream 7" when nobody gave the call an id.
std::string name_of(const history::Attempt& attempt);
std::string name_of(const history::Calls::LoadCall& call);

/// Adds an event that shows a failure; at most 20 are kept, the first ones.
void show(CheckResult& result, EventNumber event);
/// What proves a failure is a sample of it, though the check counts as samples what it could have passed.
CheckResult failed(CheckResult result);
CheckResult inconclusive(CheckResult result, std::string reason);
/// For universal checks that have nothing to judge.
CheckResult skipped(CheckResult result, std::string reason);

/// The calls of a load (nullopt: of all) that were issued in the window.
std::vector<const history::Calls::LoadCall*> calls_in(const std::optional<LoadId>& load,
                                                      const Question& question);
std::vector<Reference> reference(const std::optional<LoadId>& load);

/// The life that `service` led at `t`, else the first that began after it and before `until`.
std::optional<history::ProcessLife> life_at(const ServiceId& service, Instant t, Instant until,
                                            const history::History& history);
/// "exited with code 1", "was killed by SIGSEGV".
std::string how_it_ended(const history::ProcessLife& life);
/// "SIGTERM"; "signal 34" when it has no common name.
std::string signal_name(int signal);

}  // namespace breakwire::checks
