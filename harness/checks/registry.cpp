// The list of all check kinds: a new kind is one line here and one file beside it.
#include "harness/checks/check.h"

// In the order of the documentation; one line each, so that two who add a kind do not meet.
// clang-format off
#define BREAKWIRE_CHECK_KINDS(kind) \
  kind(outcomes) \
  kind(latency) \
  kind(deadline_kept) \
  kind(deadline_propagated) \
  kind(cancel_propagated) \
  kind(attempts) \
  kind(breaker) \
  kind(backoff) \
  kind(amplification) \
  kind(trace) \
  kind(graceful_shutdown) \
  kind(health) \
  kind(exit) \
  kind(running) \
  kind(recovers) \
  kind(ledger) \
  kind(log) \
  kind(metrics) \
  kind(resources) \
  kind(command) \
  kind(no_unexpected_exit) \
  kind(no_failed_command) \
  kind(deadlines_end) \
  kind(no_open_streams)
// clang-format on

namespace breakwire::checks {

#define BREAKWIRE_DECLARE(name) CheckKind name##_kind();
BREAKWIRE_CHECK_KINDS(BREAKWIRE_DECLARE)
#undef BREAKWIRE_DECLARE

const std::vector<CheckKind>& check_kinds() {
#define BREAKWIRE_CALL(name) name##_kind(),
  static const std::vector<CheckKind> all{BREAKWIRE_CHECK_KINDS(BREAKWIRE_CALL)};
#undef BREAKWIRE_CALL
  return all;
}

const CheckKind* find_check_kind(std::string_view name) {
  for (const CheckKind& kind : check_kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::vector<std::string> check_kind_names() {
  std::vector<std::string> names;
  for (const CheckKind& kind : check_kinds()) names.push_back(kind.name);
  return names;
}

}  // namespace breakwire::checks
