// What is looked at besides the wire while a scenario runs, and what is asked once when its loads are over:
// all that checks wish for. Starts the watchers of harness/watch; records through them.
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "harness/run/topology.h"
#include "harness/watch/watcher.h"

namespace breakwire::run {

/// Constructed means looking.
class Watching {
 public:
  /// All must outlive it. Throws SetupError when a log's path or a URL uses a variable without a value.
  Watching(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder);

  /// Returns when everything that was there to be seen is recorded, 1 s after the call at the latest. To be
  /// called while the services live: logs and metrics lag behind the wire.
  void catch_up();

  /// What a reader of the report should know of the looking itself.
  std::vector<std::string> notes() const;

 private:
  void poll_health();
  void watch_resources();
  void follow_logs();
  void scrape_metrics();

  const scenario::Scenario& scenario_;
  const history::Setup setup_;
  const Topology& topology_;
  Recorder& recorder_;
  std::vector<std::unique_ptr<watch::Watcher>> watchers_;
};

/// Everything the checks of a scenario wish to be seen, of one sort.
template <class W>
std::vector<W> wishes(const scenario::Scenario& scenario) {
  std::vector<W> all;
  for (const auto& expectation : scenario.expect) {
    for (const auto& wish : expectation.spec.check->wishes()) {
      if (const auto* one = std::get_if<W>(&wish)) all.push_back(*one);
    }
  }
  return all;
}

}  // namespace breakwire::run
