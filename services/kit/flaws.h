#pragma once
// The disciplines that can be switched off by name, so that a scenario can prove it would notice. Pure.

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace breakwire::kit {

enum class Flaw : std::uint8_t {
  no_deadline,
  no_propagation,
  no_drain,
  no_retry,
  retry_everything,
  no_backoff,
  retry_storm,
  no_breaker,
  stuck_half_open,
  always_serving,
  liveness_needs_database,
  not_idempotent,
  ack_before_commit,
  health_blocks,
  waits_for_database,
  fail_one_in_ten,
  no_trace,
  trace_crosstalk,
  log_only_success,
  uncounted_timeouts,
  leaky,
};

struct FlawDescription {
  Flaw flaw;
  std::string_view name;
  std::string_view switches_off;  ///< what a service with this flaw no longer does, or does wrong
};

/// Every flaw there is, in the order --help lists them.
std::span<const FlawDescription> all_flaws();

/// A set of flaws. Without any, a service behaves as it should.
class Flaws {
 public:
  bool has(Flaw flaw) const { return (bits_ & bit(flaw)) != 0; }
  void add(Flaw flaw) { bits_ |= bit(flaw); }
  bool operator==(const Flaws&) const = default;

 private:
  static std::uint32_t bit(Flaw flaw) { return 1U << static_cast<unsigned>(flaw); }
  std::uint32_t bits_ = 0;
};

/// Reads "no-retry,no-drain"; "" is no flaw. The other alternative is one sentence saying what is wrong: a
/// name that does not exist, or one that would change nothing in this service (not among `possible`).
std::variant<Flaws, std::string> parse_flaws(std::string_view text, std::span<const Flaw> possible);

/// Counts calls for `fail-one-in-ten`. Thread-safe.
class EveryTenth {
 public:
  /// True for the 10th, 20th, 30th … time it is asked.
  bool hit() { return (count_.fetch_add(1, std::memory_order_relaxed) + 1) % 10 == 0; }

 private:
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace breakwire::kit
