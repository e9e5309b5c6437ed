// Makes faults begin and end as the timeline says: on edges through the network layer, on services through
// their processes, or by a program of the user's. Records FaultArmed, FaultCleared, and the FaultHit and
// FaultFailed of process faults.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/running_command.h"
#include "harness/run/topology.h"

namespace breakwire::run {

/// Used by one thread. Faults still in force are healed by `clear_all`, or by the destructor.
class Conductor {
 public:
  /// Throws SetupError, placed at the fault, when a command of one names what has no value.
  Conductor(const scenario::Scenario& scenario, Topology& topology, Recorder& recorder);
  ~Conductor();

  /// Performs everything that is due by now.
  void perform_due();
  /// Heals whatever is still in force: the run is over. Commands have ended when it returns.
  void clear_all();

 private:
  void arm(size_t entry);
  void clear(size_t entry);
  void perform(size_t entry, const faults::ProcessEvent& event);
  faults::ProcessAction answer_of(size_t entry, const faults::ProcessEvent& event,
                                  const faults::FaultState& state) const;
  process::Command filled_in(const scenario::TimelineEntry& entry,
                             const std::vector<std::string>& argv) const;
  std::optional<std::string> carry_out(size_t entry, const faults::ProcessAction& action);
  std::optional<std::string> run_command(size_t entry, const std::vector<std::string>& argv);

  const scenario::Scenario& scenario_;
  Topology& topology_;
  Recorder& recorder_;
  struct InForce {
    std::unique_ptr<relay::ActiveFault> wire;  // null for process faults
    faults::FaultTally tally;                  // of process faults
    faults::FaultState state;
    std::unique_ptr<RunningCommand> command;
    bool instant = false;
  };
  std::map<size_t, InForce> in_force_;
  std::vector<std::unique_ptr<RunningCommand>> ending_;  // told to end, perhaps not there yet
};

}  // namespace breakwire::run
