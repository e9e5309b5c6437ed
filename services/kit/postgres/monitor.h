#pragma once
// Whether the database answers, asked again and again on one long-lived connection from a thread of its own.

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "services/kit/postgres/connection.h"
#include "services/kit/postgres/wake.h"

namespace breakwire::kit {

/// Turns a row of good and bad probes into a verdict that does not flap. Down before the first good probe.
class Hysteresis {
 public:
  Hysteresis(int bad_to_fall, int good_to_rise) : bad_to_fall_(bad_to_fall), good_to_rise_(good_to_rise) {}

  /// The very first good probe rises at once; later it takes `good_to_rise` in a row, as it takes
  /// `bad_to_fall` to fall.
  bool note(bool good);
  bool up() const { return up_; }

 private:
  const int bad_to_fall_;
  const int good_to_rise_;
  bool up_ = false;
  bool ever_up_ = false;
  int in_a_row_ = 0;  // probes that speak against the verdict
};

struct MonitorOptions {
  std::chrono::milliseconds interval{100};  ///< between an answer and the next probe
  std::chrono::milliseconds overdue{
      250};  ///< an answer that takes longer counts as bad, and again each time as long
  std::chrono::milliseconds patience{1000};     ///< after which a silent connection is replaced
  std::chrono::milliseconds first_backoff{50};  ///< before a broken connection is replaced, doubled up to
  std::chrono::milliseconds max_backoff{200};
  int bad_to_fall = 2;
  int good_to_rise = 2;
};

/// A database that accepts and never answers, or stops answering, is noticed after about two `overdue`; one
/// that is gone after about two `interval`. While it is silent the monitor keeps waiting on the same
/// connection for `patience`, so that it neither piles up connections nor misses an answer that was merely
/// held up.
class DatabaseMonitor {
 public:
  /// `changed(up)` is called from the monitor's thread at every change; nothing is up before the first such
  /// call.
  DatabaseMonitor(DatabaseAddress address, std::function<void(bool)> changed, MonitorOptions options = {});

  /// Returns within moments, whatever the database does.
  ~DatabaseMonitor();
  DatabaseMonitor(const DatabaseMonitor&) = delete;
  DatabaseMonitor& operator=(const DatabaseMonitor&) = delete;

  bool up() const { return up_.load(); }

 private:
  void run();
  void note(bool good);
  void pause(std::chrono::milliseconds time);

  const DatabaseAddress address_;
  const std::function<void(bool)> changed_;
  const MonitorOptions options_;
  Hysteresis hysteresis_;
  std::atomic<bool> up_{false};
  Wake stop_;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace breakwire::kit
