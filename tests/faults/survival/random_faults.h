// Faults of every kind that an edge can have, drawn from a seed with parameters and a match; and somebody who
// arms and clears them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "faults/relay/network.h"

namespace breakwire::relay::testing {

/// The kinds of the registry that are armed on an edge, in its order.
std::vector<std::string> wire_kinds();

/// A fault of that kind. `order` is its place among the faults of the edge, and names it.
faults::WireFaultInstance draw_fault(const std::string& kind, size_t order, Rng& rng);

/// While it lives, a thread of its own arms and clears faults on the edges: at most `at_once` at a time, one
/// change every few milliseconds. Each kind has its turn before one comes again. The destructor clears all.
class Troublemaker {
 public:
  struct Options {
    uint64_t seed = 1;
    size_t at_once = 3;
    std::chrono::milliseconds longest_pause{10};  // between two changes
    std::vector<std::string> kinds = wire_kinds();
  };
  Troublemaker(Network& network, std::vector<EdgeId> edges, Options options);
  ~Troublemaker();
  Troublemaker(const Troublemaker&) = delete;
  Troublemaker& operator=(const Troublemaker&) = delete;

  /// How often each kind was armed.
  std::map<std::string, size_t> armed() const;

 private:
  void work();
  void change();

  Network& network_;
  const std::vector<EdgeId> edges_;
  const Options options_;
  Rng rng_;
  std::vector<std::unique_ptr<ActiveFault>> active_;  // the thread's own
  std::vector<std::string> still_to_come_;            // likewise
  size_t order_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::map<std::string, size_t> armed_;
  std::thread thread_;
};

}  // namespace breakwire::relay::testing
