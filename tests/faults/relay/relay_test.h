// What the relay's tests share: an observer that can be waited for, faults in one line, and one edge.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "faults/relay/network.h"
#include "tests/faults/relay/sockets.h"

namespace breakwire::relay::testing {

class Recorder final : public faults::Observer {
 public:
  void observe(faults::Observation&& observation) override {
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::move(observation));
    changed_.notify_all();
  }

  /// All observations of a kind so far.
  template <class Kind>
  std::vector<Kind> all() const {
    const std::lock_guard lock(mutex_);
    return of<Kind>();
  }
  /// Waits until there are so many of a kind, and answers them.
  template <class Kind>
  std::vector<Kind> wait_for(size_t count = 1) {
    std::unique_lock lock(mutex_);
    const bool there = changed_.wait_for(lock, patience, [&] { return of<Kind>().size() >= count; });
    EXPECT_TRUE(there) << "waited in vain for " << count << " x " << typeid(Kind).name();
    auto found = of<Kind>();
    if (found.size() < count) found.resize(count);
    return found;
  }

 private:
  template <class Kind>
  std::vector<Kind> of() const {
    std::vector<Kind> found;
    for (const auto& one : seen_) {
      if (const auto* match = std::get_if<Kind>(&one)) found.push_back(*match);
    }
    return found;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<faults::Observation> seen_;
};

/// A fault that does what it is told by a function.
class Scripted final : public faults::WireFault {
 public:
  using Decide = std::function<faults::WireAction(const faults::WireEvent&)>;
  explicit Scripted(Decide decide, faults::Scope scope = faults::Scope::anything)
      : decide_(std::move(decide)), scope_(scope) {}
  faults::Scope scope() const override { return scope_; }
  faults::WireAction decide(const faults::WireEvent& event, const faults::FaultState&, Rng&) const override {
    return decide_(event);
  }

 private:
  Decide decide_;
  faults::Scope scope_;
};

/// The answer to one kind of event; everything else passes.
template <class Event>
std::shared_ptr<const faults::WireFault> on(faults::WireAction action) {
  return std::make_shared<Scripted>([action](const faults::WireEvent& event) {
    return std::holds_alternative<Event>(event) ? action : faults::WireAction(faults::Forward{});
  });
}

class RelayTest : public ::testing::Test {
 protected:
  /// An edge to the port; answers the port to dial.
  uint16_t open(uint16_t upstream, EdgeProtocol protocol = EdgeProtocol::detect) {
    return open(EdgeOptions{.id = edge, .upstream = TcpAddress{.port = upstream}, .protocol = protocol});
  }
  uint16_t open(EdgeOptions options) { return network->open(std::move(options)).port; }

  std::unique_ptr<ActiveFault> arm(std::string id, std::shared_ptr<const faults::WireFault> fault,
                                   faults::Match match = {}) {
    return network->arm(
        edge, {.id = {std::move(id)}, .kind = "test", .match = std::move(match), .fault = std::move(fault)});
  }

  faults::ConnectionEnded wait_for_end() { return recorder.wait_for<faults::ConnectionEnded>().front(); }

  const EdgeId edge{"a->b"};
  Recorder recorder;
  std::unique_ptr<Network> network = std::make_unique<Network>(recorder);
};

}  // namespace breakwire::relay::testing
