// A service that is a PostgreSQL of the scenario's own.
#include <csignal>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "harness/process/postgres.h"
#include "harness/run/process_faults.h"
#include "harness/run/running_service.h"

namespace breakwire::run {
namespace {

class PostgresDatabase final : public DatabaseService {
 public:
  explicit PostgresDatabase(ServiceOptions options)
      : o_(std::move(options)),
        faults_(o_.service.id, o_.recorder, [this] { return server_ ? server_->process() : nullptr; }) {}
  ~PostgresDatabase() override { end_restart(); }

  void start(std::stop_token stop) override {
    const auto& wanted = std::get<scenario::PostgresService>(o_.service.what);
    forward_.emplace(stop, [this] { ending_.request_stop(); });
    try {
      server_ = std::make_unique<process::Postgres>(
          o_.postgres, process::PostgresOptions{
                           .schema_file = wanted.schema,
                           .log_path = o_.log_path,
                           .on_start = [this](pid_t pid) { record_start(pid); },
                           .on_exit = [this](const process::ProcessExited& exited) { record_exit(exited); },
                           .stop = ending_.get_token()});
    } catch (const std::exception& error) {
      forward_.reset();
      if (stop.stop_requested()) return;
      throw SetupError(json::error_at(
          o_.service.span, "database `" + o_.service.id.text + "` could not be started: " + error.what()));
    }
    forward_.reset();
    record_ready();
  }

  std::optional<std::string> perform(const faults::ProcessAction& action, const FaultId& fault) override {
    if (std::holds_alternative<faults::StartAgain>(action)) {
      if (restart_.joinable()) restart_.join();
      restart_ = std::jthread([this] { start_again(); });
      return std::nullopt;
    }
    try {
      return faults_.perform(action, fault);
    } catch (const std::exception&) {
      return std::nullopt;  // the guard is gone, and the server with it: its exit says so
    }
  }

  void ask_to_stop() override {
    end_restart();
    faults_.let_go();
  }
  // Nothing is asked of its data any more: its destructor kills it.
  bool stopped() override { return true; }

  std::string socket_path() const override { return server_->socket_path(); }
  std::string database() const override { return server_->database(); }
  std::string conninfo() const override { return server_->conninfo(); }
  std::optional<int> pid() const override {
    const auto server = server_ ? server_->process() : nullptr;
    return server && !server->exited() ? std::optional<int>(server->pid()) : std::nullopt;
  }
  std::string kind() const override { return "postgres"; }
  std::string log_path() const override { return o_.log_path; }
  std::vector<std::string> last_output(size_t lines) const override {
    return server_ ? server_->process()->last_output_lines(lines) : std::vector<std::string>{};
  }

 private:
  /// On a thread of its own: whatever goes wrong is told to the history.
  void start_again() {
    std::string why = "for a reason nobody gave";
    try {
      server_->start();
      record_ready();
      return;
    } catch (const std::exception& error) {
      why = error.what();
    } catch (...) {
    }
    if (ending_.stop_requested()) return;
    o_.recorder.record(std::chrono::steady_clock::now(),
                       history::RestartFailed{.service = o_.service.id, .why = std::move(why)});
  }

  void record_start(pid_t pid) {
    o_.recorder.record(std::chrono::steady_clock::now(),
                       history::ProcessStarted{.service = o_.service.id, .pid = pid});
    faults_.started(pid);
  }

  void record_ready() {
    o_.recorder.record(std::chrono::steady_clock::now(), history::ServiceReady{.service = o_.service.id});
  }

  void record_exit(const process::ProcessExited& exited) {
    o_.recorder.record(exited.at, history::ProcessExited{.service = o_.service.id,
                                                         .pid = exited.pid,
                                                         .code = exited.status.code,
                                                         .signal = exited.status.signal});
  }

  void end_restart() {
    ending_.request_stop();
    if (restart_.joinable()) restart_.join();
  }

  ServiceOptions o_;
  std::stop_source ending_;
  std::optional<std::stop_callback<std::function<void()>>> forward_;  // while `start` runs
  std::unique_ptr<process::Postgres> server_;
  ProcessFaults faults_;
  std::jthread restart_;
};

}  // namespace

std::unique_ptr<DatabaseService> make_database_service(ServiceOptions options) {
  return std::make_unique<PostgresDatabase>(std::move(options));
}

}  // namespace breakwire::run
