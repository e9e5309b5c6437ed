#include "services/kit/flaws.h"

#include <algorithm>
#include <array>

namespace breakwire::kit {
namespace {

constexpr auto table = std::to_array<FlawDescription>({
    {Flaw::no_deadline, "no-deadline",
     "calls to dependencies carry no deadline and are not cancelled with the call they serve"},
    {Flaw::no_propagation, "no-propagation",
     "calls to dependencies get a fresh deadline of 5s instead of what remains, and are not cancelled with "
     "the call"},
    {Flaw::no_drain, "no-drain",
     "SIGTERM ends the process at once: no NOT_SERVING, no GOAWAY, calls in flight are lost"},
    {Flaw::no_retry, "no-retry", "a dependency's UNAVAILABLE is never retried"},
    {Flaw::retry_everything, "retry-everything",
     "every error of a dependency is retried, also those that are final"},
    {Flaw::no_backoff, "no-backoff", "retries follow at once, without a pause and without jitter"},
    {Flaw::retry_storm, "retry-storm",
     "every failure is retried four times, at once, without a budget, and callers are not asked not to retry "
     "too"},
    {Flaw::no_breaker, "no-breaker", "a dependency that fails is called on and on"},
    {Flaw::stuck_half_open, "stuck-half-open",
     "a circuit breaker's probe that never gets an answer keeps its slot: every later call is shed, for "
     "ever"},
    {Flaw::always_serving, "always-serving",
     "readiness says SERVING from start to end, whatever is the matter"},
    {Flaw::liveness_needs_database, "liveness-needs-database",
     "liveness says NOT_SERVING when the database is down"},
    {Flaw::not_idempotent, "not-idempotent",
     "what is asked for again for the same order is done again: goods are taken, money is charged"},
    {Flaw::ack_before_commit, "ack-before-commit",
     "a charge is answered with OK and committed 200ms later; what is killed in between loses it"},
    {Flaw::health_blocks, "health-blocks",
     "a health check asks the database itself, waits for it for as long as it takes, and lets calls wait as "
     "well"},
    {Flaw::waits_for_database, "waits-for-database",
     "calls wait for a silent database for as long as their deadline allows instead of failing at once"},
    {Flaw::fail_one_in_ten, "fail-one-in-ten", "every tenth call fails with INTERNAL"},
    {Flaw::no_trace, "no-trace", "no traceparent is passed on to dependencies"},
    {Flaw::trace_crosstalk, "trace-crosstalk",
     "while calls overlap, a call to a dependency carries the trace of the one before it"},
    {Flaw::log_only_success, "log-only-success", "calls that failed are not logged"},
    {Flaw::uncounted_timeouts, "uncounted-timeouts",
     "calls that end with DEADLINE_EXCEEDED are missing in the metrics"},
    {Flaw::leaky, "leaky",
     "every call to a dependency that fails leaves a thread and a descriptor behind, for ever"},
});

}  // namespace

std::span<const FlawDescription> all_flaws() { return table; }

std::variant<Flaws, std::string> parse_flaws(std::string_view text, std::span<const Flaw> possible) {
  Flaws flaws;
  while (!text.empty()) {
    auto comma = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    auto known = std::ranges::find(table, name, &FlawDescription::name);
    if (known == table.end()) return "there is no flaw '" + std::string(name) + "'";
    if (std::ranges::find(possible, known->flaw) == possible.end())
      return "flaw '" + std::string(name) + "' would change nothing here";
    flaws.add(known->flaw);
  }
  return flaws;
}

}  // namespace breakwire::kit
