// A service while a scenario runs: its process or database, what faults do to it, how it ends.
// Touches harness/process; records ProcessStarted, ServiceReady, SignalSent and ProcessExited.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "faults/action.h"
#include "harness/process/guard.h"
#include "harness/process/postgres_template.h"
#include "harness/run/names.h"
#include "harness/run/recorder.h"

namespace breakwire::run {

/// Something could not be set up: told to the user as it is, with the place in the file and the next move.
class SetupError : public std::runtime_error {
 public:
  explicit SetupError(Error error) : std::runtime_error(error.what), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

/// A service's last lines, as they stand in a sentence about it.
inline std::string quoted(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += "\n      " + line;
  return text.empty() ? " (it printed nothing)" : "; its last output:" + text;
}

class RunningService {
 public:
  virtual ~RunningService() = default;

  /// Starts it and waits until it is ready, for as long as the file allows. Throws SetupError, with the last
  /// lines of its output where it is to blame.
  virtual void start(std::stop_token stop) = 0;
  /// Does to it what a fault asks. StartAgain returns at once; readiness is recorded when it comes. Never
  /// throws for what the service does. Answers why it could not be done; nothing when it was.
  virtual std::optional<std::string> perform(const faults::ProcessAction& action, const FaultId& fault) = 0;
  /// Asks it to end, as its `stop` says; does not wait.
  virtual void ask_to_stop() = 0;
  /// Waits for its end; false when the grace was over and it had to be killed.
  virtual bool stopped() = 0;

  /// Its process, while there is one. Thread-safe.
  virtual std::optional<int> pid() const = 0;
  virtual std::string kind() const = 0;
  virtual std::string log_path() const = 0;  // empty: none
  virtual std::vector<std::string> last_output(size_t lines) const = 0;
};

struct ServiceOptions {
  const scenario::Service& service;
  process::Guard& guard;
  process::PostgresTemplate& postgres;
  Recorder& recorder;
  const Addresses& addresses;
  const std::string& bin;
  const scenario::Lookup& environment;
  std::string health_target;  // host:port of its control edge
  std::string log_path;
};

std::unique_ptr<RunningService> make_process_service(ServiceOptions options);

/// A database: besides, it says where it listens before it has been started.
class DatabaseService : public RunningService {
 public:
  /// The Unix socket. Valid once `start` has returned.
  virtual std::string socket_path() const = 0;
  virtual std::string database() const = 0;
  /// As libpq takes it, past every relay. Valid once `start` has returned.
  virtual std::string conninfo() const = 0;
};
std::unique_ptr<DatabaseService> make_database_service(ServiceOptions options);

}  // namespace breakwire::run
