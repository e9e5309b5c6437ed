// What faults do to a service's process, whichever process that is at the time: signals, freezing, limits.
// Touches harness/process; records SignalSent.
#pragma once

#include <sys/resource.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "faults/action.h"
#include "harness/process/child_process.h"
#include "harness/run/recorder.h"

namespace breakwire::run {

/// Faults that overlap do not undo each other: the service is frozen as long as one of them wants it so, and
/// has the tightest of the limits that they want.
class ProcessFaults {
 public:
  using Current = std::function<std::shared_ptr<process::ChildProcess>()>;

  /// `current` answers the service's process, dead or alive; nullptr before there was one. Any thread may ask
  /// it.
  ProcessFaults(ServiceId service, Recorder& recorder, Current current);
  ~ProcessFaults();
  ProcessFaults(const ProcessFaults&) = delete;
  ProcessFaults& operator=(const ProcessFaults&) = delete;

  /// Signals, freezing and limits; other actions are not its business. Answers why it could not be done;
  /// nothing when it was. One thread at a time. Throws std::runtime_error when the guard is gone.
  std::optional<std::string> perform(const faults::ProcessAction& action, const FaultId& fault);
  /// It has another process, which gets the limits in force. From any thread.
  void started(pid_t pid);
  /// Faults let go of it: it is not frozen any more when this returns. As `perform`, but throws nothing.
  void let_go();

 private:
  enum class Tell { yes, no };
  void send(int signal, bool family, const FaultId& fault, Tell tell);
  void freeze(const FaultId& fault, Tell tell);
  void thaw(const FaultId& fault, Tell tell);
  void throttle(const faults::Throttle& cycle, const FaultId& fault, const std::stop_token& stop);

  struct Resource {
    decltype(RLIMIT_NOFILE) number;
    std::optional<uint64_t> faults::SetLimits::*wanted;
    const char* name;
    std::optional<rlim_t> before;  // the soft limit of the process `limited_` before any fault
  };
  std::optional<std::string> limit(const faults::SetLimits& limits, const FaultId& fault);
  std::optional<std::string> restore(const FaultId& fault);
  std::optional<std::string> apply_limits();
  std::optional<uint64_t> tightest(const Resource& resource) const;

  const ServiceId service_;
  Recorder& recorder_;
  const Current current_;

  std::mutex freezing_;
  std::set<FaultId> frozen_by_;

  std::mutex limiting_;
  std::map<FaultId, faults::SetLimits> limits_;
  pid_t limited_ = 0;
  std::array<Resource, 2> resources_{
      {{RLIMIT_NOFILE, &faults::SetLimits::descriptors, "descriptors", {}},
       {RLIMIT_AS, &faults::SetLimits::address_space, "bytes of address space", {}}}};

  std::map<FaultId, std::jthread> throttles_;
};

}  // namespace breakwire::run
