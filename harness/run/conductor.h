// Makes faults begin and end as the timeline says: on edges through the network layer, on services through
// their processes. Records FaultArmed, FaultCleared, and the FaultHit of process faults.
#pragma once

#include <map>
#include <memory>

#include "harness/run/topology.h"

namespace breakwire::run {

/// Used by one thread. Faults still in force are healed by `clear_all`, or by the destructor.
class Conductor {
 public:
  Conductor(const scenario::Scenario& scenario, Topology& topology, Recorder& recorder);
  ~Conductor();

  /// Performs everything that is due by now.
  void perform_due();
  /// Heals whatever is still in force: the run is over.
  void clear_all();

 private:
  void arm(size_t entry);
  void clear(size_t entry);
  void perform(size_t entry, const faults::ProcessEvent& event);

  const scenario::Scenario& scenario_;
  Topology& topology_;
  Recorder& recorder_;
  struct InForce {
    std::unique_ptr<relay::ActiveFault> wire;  // null for process faults
    faults::FaultTally tally;                  // of process faults
    faults::FaultState state;
    bool instant = false;
  };
  std::map<size_t, InForce> in_force_;
};

}  // namespace breakwire::run
