#include "services/kit/breaker.h"

#include <algorithm>
#include <utility>

namespace breakwire::kit {
namespace {

/// Marks the status of a shed call within this process. Never sent: `CallPolicy::answer` leaves it out.
constexpr char shed_mark[] = "shed by a circuit breaker";

BreakerOptions without_patience(BreakerOptions options, bool endless) {
  if (endless) options.probe_patience = std::chrono::hours(24 * 365);
  return options;
}

}  // namespace

Evidence evidence_of(grpc::StatusCode code, double used) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DATA_LOSS:
      return Evidence::failure;
    case grpc::StatusCode::CANCELLED:
      return used >= 0.75 ? Evidence::failure : Evidence::none;
    default:
      return Evidence::success;
  }
}

std::optional<BreakerMachine::Permit> BreakerMachine::ask(Instant now) {
  switch (state_) {
    case BreakerState::closed:
      return Permit{era_, false};
    case BreakerState::open:
      if (now < since_ + options_.open_period) return std::nullopt;
      enter(BreakerState::half_open, now);
      probing_ = true;
      return Permit{era_, true};
    case BreakerState::half_open:
      if (probing_) {
        if (now >= since_ + options_.probe_patience) enter(BreakerState::open, now);
        return std::nullopt;
      }
      enter(BreakerState::half_open, now);
      probing_ = true;
      return Permit{era_, true};
  }
  return std::nullopt;
}

void BreakerMachine::end(const Permit& permit, Evidence evidence, Instant now) {
  if (permit.era != era_) return;
  if (permit.probe) {
    if (evidence == Evidence::none) {
      probing_ = false;
    } else {
      enter(evidence == Evidence::success ? BreakerState::closed : BreakerState::open, now);
    }
    return;
  }
  if (evidence == Evidence::none) return;
  count(evidence == Evidence::failure, now);
  if (fails_too_often()) enter(BreakerState::open, now);
}

void BreakerMachine::enter(BreakerState state, Instant now) {
  state_ = state;
  since_ = now;
  ++era_;
  probing_ = false;
  slices_.clear();
}

void BreakerMachine::count(bool failed, Instant now) {
  if (slices_.empty() || now >= slices_.back().begin + options_.window / 10)
    slices_.push_back({.begin = now});
  ++slices_.back().calls;
  if (failed) ++slices_.back().failures;
  while (slices_.front().begin + options_.window <= now) slices_.pop_front();
}

bool BreakerMachine::fails_too_often() const {
  int calls = 0;
  int failures = 0;
  for (const auto& slice : slices_) {
    calls += slice.calls;
    failures += slice.failures;
  }
  return calls >= options_.minimum_calls && failures >= options_.failure_ratio * calls;
}

Breaker::Breaker(std::string dependency, BreakerOptions options, Flaws flaws)
    : dependency_(std::move(dependency)),
      keeps_lost_probes_(flaws.has(Flaw::stuck_half_open)),
      machine_(without_patience(options, keeps_lost_probes_)) {}

std::optional<Breaker::Pass> Breaker::admit() {
  std::lock_guard lock(mutex_);
  auto permit = machine_.ask(std::chrono::steady_clock::now());
  if (!permit) return std::nullopt;
  return std::make_optional<Pass>(*this, *permit);
}

grpc::Status Breaker::shed() const {
  return {grpc::StatusCode::UNAVAILABLE, "the circuit to " + dependency_ + " is open", shed_mark};
}

void Breaker::end(const BreakerMachine::Permit& permit, Evidence evidence) {
  std::lock_guard lock(mutex_);
  machine_.end(permit, evidence, std::chrono::steady_clock::now());
}

void Breaker::Pass::end(grpc::StatusCode code, double used) {
  const bool lost = code == grpc::StatusCode::DEADLINE_EXCEEDED || code == grpc::StatusCode::CANCELLED;
  if (breaker_ != nullptr && breaker_->keeps_lost_probes_ && permit_.probe && lost) breaker_ = nullptr;
  end(evidence_of(code, used));
}

void Breaker::Pass::end(Evidence evidence) {
  if (auto* breaker = std::exchange(breaker_, nullptr)) breaker->end(permit_, evidence);
}

bool is_shed(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details() == shed_mark;
}

namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using SystemClock = std::chrono::system_clock;

class Guarded : public grpc::experimental::Interceptor {
 public:
  Guarded(std::shared_ptr<Breaker> breaker, grpc::experimental::ClientRpcInfo* info)
      : breaker_(std::move(breaker)), info_(info) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    const auto at = [methods](InterceptionHookPoints point) {
      return methods->QueryInterceptionHookPoint(point);
    };
    if (shed_) {
      // Nothing of the call is sent: what would be received is said here.
      if (at(InterceptionHookPoints::PRE_RECV_MESSAGE)) methods->FailHijackedRecvMessage();
      if (at(InterceptionHookPoints::PRE_RECV_STATUS)) *methods->GetRecvStatus() = breaker_->shed();
    } else if (at(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      if (auto pass = breaker_->admit()) {
        pass_.emplace(std::move(*pass));
      } else {
        shed_ = true;
        return methods->Hijack();  // asks again, what to receive
      }
    } else if (at(InterceptionHookPoints::POST_RECV_STATUS) && pass_) {
      pass_->end(methods->GetRecvStatus()->error_code(), used());
    }
    methods->Proceed();
  }

 private:
  double used() const {
    const auto deadline = info_->client_context()->deadline();
    if (deadline == SystemClock::time_point::max()) return 0;
    const std::chrono::duration<double> all = deadline - began_;
    const std::chrono::duration<double> gone = SystemClock::now() - began_;
    return all.count() <= 0 ? 1 : gone / all;
  }

  const std::shared_ptr<Breaker> breaker_;
  grpc::experimental::ClientRpcInfo* const info_;
  const SystemClock::time_point began_ = SystemClock::now();
  std::optional<Breaker::Pass> pass_;  // goes with the call at the latest
  bool shed_ = false;
};

class GuardedFactory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit GuardedFactory(std::shared_ptr<Breaker> breaker) : breaker_(std::move(breaker)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo* info) override {
    return new Guarded(breaker_, info);
  }

 private:
  const std::shared_ptr<Breaker> breaker_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> breaker_interceptor(
    std::shared_ptr<Breaker> breaker) {
  return std::make_unique<GuardedFactory>(std::move(breaker));
}

}  // namespace breakwire::kit
