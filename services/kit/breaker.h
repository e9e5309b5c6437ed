#pragma once
// A circuit breaker: stops asking a dependency that does not answer, and finds out by single probes when it
// does again. `BreakerMachine` is pure; `Breaker` is the same with a lock and a clock, for use by a channel.
// Terms as in https://martinfowler.com/bliki/CircuitBreaker.html: closed lets calls through, open sheds them.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "services/kit/flaws.h"

namespace breakwire::kit {

struct BreakerOptions {
  double failure_ratio = 0.5;  ///< opens when so many of the calls that ended within `window` failed, 0..1
  int minimum_calls = 10;      ///< and when at least so many ended within it
  std::chrono::milliseconds window{1000};
  std::chrono::milliseconds open_period{500};      ///< from the opening to the probe
  std::chrono::milliseconds probe_patience{2000};  ///< a probe that has not ended by then has failed
};

enum class BreakerState : std::uint8_t { closed, open, half_open };

/// What a call that is over says about the dependency.
enum class Evidence : std::uint8_t { success, failure, none };

/// Failures are what a dependency answers (or leaves unanswered) that cannot serve: UNAVAILABLE,
/// DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNKNOWN, DATA_LOSS. Every other answer, a refusal such as
/// FAILED_PRECONDITION too, is a success: somebody was there and decided.
/// CANCELLED is the caller's own doing and says nothing, unless the call had used up three quarters of its
/// time: a caller whose deadline is over cancels a moment before our own deadline, which is the same one, has
/// come. `used` is the share of the call's time that was used, 0 for a call without a deadline.
Evidence evidence_of(grpc::StatusCode code, double used);

/// The states and what leads from one to another. Handed the time; not thread-safe. Pure.
///
/// closed    lets every call through; opens when too many of them fail.
/// open      sheds every call for `open_period`; then the next call is the probe.
/// half-open sheds every call but the probe. Its success closes, its failure opens again; a probe that ended
///           without saying anything frees the slot for the next call, one that outlasts `probe_patience` has
///           failed.
class BreakerMachine {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// That a call may go. Of a time before the last change of state, it changes nothing any more.
  struct Permit {
    std::uint64_t era = 0;
    bool probe = false;
  };

  explicit BreakerMachine(BreakerOptions options) : options_(options) {}

  /// Nothing: shed the call. What is permitted is to be ended, once, with the same permit.
  std::optional<Permit> ask(Instant now);
  void end(const Permit& permit, Evidence evidence, Instant now);

  /// As of the last question or ending: an open breaker becomes half-open when its probe is asked for.
  BreakerState state() const { return state_; }

 private:
  struct Slice {
    Instant begin;
    int calls = 0;
    int failures = 0;
  };
  void enter(BreakerState state, Instant now);
  void count(bool failed, Instant now);
  bool fails_too_often() const;

  const BreakerOptions options_;
  BreakerState state_ = BreakerState::closed;
  std::uint64_t era_ = 0;     // counts the changes of state
  Instant since_;             // of the last of them
  bool probing_ = false;      // half-open: the one slot is taken
  std::deque<Slice> slices_;  // closed: the window, in tenths
};

/// Thread-safe. Outlives the channel whose calls it guards.
class Breaker {
 public:
  /// `dependency` is for the message of shed calls. With the flaw stuck-half-open a probe that never got an
  /// answer keeps its slot for ever.
  Breaker(std::string dependency, BreakerOptions options, Flaws flaws);

  /// That a call may go. Ends without a word about the dependency when nobody says how the call ended.
  class Pass {
   public:
    Pass(Breaker& breaker, BreakerMachine::Permit permit) : breaker_(&breaker), permit_(permit) {}
    ~Pass() { end(Evidence::none); }
    Pass(Pass&& other) noexcept : breaker_(std::exchange(other.breaker_, nullptr)), permit_(other.permit_) {}
    Pass& operator=(Pass&&) = delete;

    /// The call is over with `code`, having used this share of its time (see evidence_of).
    void end(grpc::StatusCode code, double used);

   private:
    void end(Evidence evidence);
    Breaker* breaker_;
    BreakerMachine::Permit permit_;
  };
  /// Nothing: the call is to be shed with `shed()`.
  std::optional<Pass> admit();
  grpc::Status shed() const;

 private:
  void end(const BreakerMachine::Permit& permit, Evidence evidence);

  const std::string dependency_;
  const bool keeps_lost_probes_;
  std::mutex mutex_;
  BreakerMachine machine_;
};

/// Whether a breaker of this process made this status, and not the dependency.
bool is_shed(const grpc::Status& status);

/// Lets the calls of a channel through or sheds them: a shed call never reaches the wire. For all kinds of
/// calls; a stream counts when it ends.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> breaker_interceptor(
    std::shared_ptr<Breaker> breaker);

}  // namespace breakwire::kit
