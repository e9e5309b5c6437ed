// A service that is a PostgreSQL of the scenario's own.
#include <csignal>
#include <mutex>
#include <thread>

#include "harness/process/postgres.h"
#include "harness/run/running_service.h"

namespace breakwire::run {
namespace {

class PostgresDatabase final : public DatabaseService {
 public:
  explicit PostgresDatabase(ServiceOptions options) : o_(std::move(options)) {}
  ~PostgresDatabase() override { finish_restart(); }

  void start(std::stop_token stop) override {
    const auto& wanted = std::get<scenario::PostgresService>(o_.service.what);
    try {
      server_ = std::make_unique<process::Postgres>(
          o_.postgres, process::PostgresOptions{
                           .schema_file = wanted.schema,
                           .log_path = o_.log_path,
                           .on_exit = [this](const process::ProcessExited& exited) { record_exit(exited); },
                           .stop = stop});
    } catch (const std::runtime_error& error) {
      if (stop.stop_requested()) return;
      throw SetupError(json::error_at(
          o_.service.span, "database `" + o_.service.id.text + "` could not be started: " + error.what()));
    }
    record_start();
  }

  void perform(const faults::ProcessAction& action, const FaultId& fault) override {
    if (std::holds_alternative<faults::StartAgain>(action)) {
      finish_restart();
      restart_ = std::jthread([this](std::stop_token) {
        try {
          server_->start();
          record_start();
        } catch (const std::runtime_error&) {
          // It did not come back; whoever needs it shows that.
        }
      });
      return;
    }
    const auto send = [&](int signal) {
      o_.recorder.record(
          std::chrono::steady_clock::now(),
          history::SignalSent{
              .service = o_.service.id, .pid = server_->pid(), .signal = signal, .fault = fault});
    };
    if (const auto* signal = std::get_if<faults::SendSignal>(&action)) {
      send(signal->number);
      server_->process()->signal(signal->number);
    } else if (std::holds_alternative<faults::KillTree>(action)) {
      send(SIGKILL);
      server_->kill();
    } else if (std::holds_alternative<faults::StopTree>(action)) {
      send(SIGSTOP);
      server_->pause();
    } else if (std::holds_alternative<faults::ContinueTree>(action)) {
      send(SIGCONT);
      server_->resume();
    }
  }

  void ask_to_stop() override { finish_restart(); }
  // Nothing is asked of its data any more: its destructor kills it.
  bool stopped() override { return true; }

  std::string socket_path() const override { return server_->socket_path(); }
  std::string database() const override { return server_->database(); }
  std::string kind() const override { return "postgres"; }
  std::string log_path() const override { return o_.log_path; }
  std::vector<std::string> last_output(size_t lines) const override {
    return server_ ? server_->process()->last_output_lines(lines) : std::vector<std::string>{};
  }

 private:
  void record_start() {
    const Instant now = std::chrono::steady_clock::now();
    o_.recorder.record(now, history::ProcessStarted{.service = o_.service.id, .pid = server_->pid()});
    o_.recorder.record(now, history::ServiceReady{.service = o_.service.id});
  }

  void record_exit(const process::ProcessExited& exited) {
    o_.recorder.record(exited.at, history::ProcessExited{.service = o_.service.id,
                                                         .pid = exited.pid,
                                                         .code = exited.status.code,
                                                         .signal = exited.status.signal});
  }

  void finish_restart() {
    if (restart_.joinable()) restart_.join();
  }

  ServiceOptions o_;
  std::unique_ptr<process::Postgres> server_;
  std::jthread restart_;
};

}  // namespace

std::unique_ptr<DatabaseService> make_database_service(ServiceOptions options) {
  return std::make_unique<PostgresDatabase>(std::move(options));
}

}  // namespace breakwire::run
