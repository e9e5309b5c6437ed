// An observer for runs too long to be kept: it holds what is open, and counts the rest.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "faults/observation.h"
#include "tests/faults/relay/sockets.h"

namespace breakwire::relay::testing {

class Ledger final : public faults::Observer {
 public:
  struct Sums {
    size_t connections = 0;       // accepted
    size_t open_connections = 0;  // of them, not ended
    size_t calls = 0;
    size_t open_calls = 0;
    size_t wrong_ends = 0;                 // of what had not begun, or had ended
    std::map<std::string, size_t> hits;    // FaultHit by action
    std::map<std::string, size_t> limits;  // LimitReached: "name by downstream", …
    size_t violations_by_downstream = 0;
    size_t violations_by_upstream = 0;
  };

  void observe(faults::Observation&& observation) override {
    const std::lock_guard lock(mutex_);
    std::visit([this](const auto& one) { note(one); }, observation);
    changed_.notify_all();
  }
  Sums sums() const {
    const std::lock_guard lock(mutex_);
    return now();
  }
  /// Waits until the sums are so; false when that takes too long.
  template <class Condition>
  bool wait_until(Condition condition, std::chrono::milliseconds wait = patience) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, wait, [&] { return condition(now()); });
  }

 private:
  using Call = std::pair<ConnectionId, StreamId>;

  Sums now() const {
    Sums sums = sums_;
    sums.open_connections = connections_.size();
    sums.open_calls = calls_.size();
    return sums;
  }
  static std::string name(faults::Peer peer) {
    if (peer == faults::Peer::relay) return "relay";
    return peer == faults::Peer::downstream ? "downstream" : "upstream";
  }
  void note(const faults::ConnectionAccepted& one) {
    ++sums_.connections;
    connections_.insert(one.connection);
  }
  void note(const faults::ConnectionEnded& one) {
    sums_.wrong_ends += connections_.erase(one.connection) != 1;
  }
  void note(const faults::CallStarted& one) {
    ++sums_.calls;
    calls_.insert({one.connection, one.stream});
  }
  void note(const faults::CallEnded& one) {
    sums_.wrong_ends += calls_.erase({one.connection, one.stream}) != 1;
  }
  void note(const faults::FaultHit& one) { ++sums_.hits[one.action]; }
  void note(const faults::LimitReached& one) { ++sums_.limits[one.limit + " by " + name(one.by)]; }
  void note(const faults::ProtocolViolation& one) {
    ++(one.by == faults::Peer::upstream ? sums_.violations_by_upstream : sums_.violations_by_downstream);
  }
  void note(const auto&) {}

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Sums sums_;
  std::set<ConnectionId> connections_;
  std::set<Call> calls_;
};

}  // namespace breakwire::relay::testing
