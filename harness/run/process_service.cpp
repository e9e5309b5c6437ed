// A service that is a program of the user's.
#include <csignal>
#include <cstring>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "harness/process/child_process.h"
#include "harness/process/tcp_readiness.h"
#include "harness/run/process_faults.h"
#include "harness/run/running_service.h"
#include "harness/watch/health.h"

namespace breakwire::run {
namespace {

using process::ChildProcess;

class ProcessService final : public RunningService {
 public:
  explicit ProcessService(ServiceOptions options)
      : o_(std::move(options)),
        run_(std::get<scenario::RunCommand>(o_.service.what)),
        faults_(o_.service.id, o_.recorder, [this] { return child(); }) {}

  ~ProcessService() override {
    restart_.request_stop();
    if (restart_.joinable()) restart_.join();
  }

  void start(std::stop_token stop) override {
    spawn();
    wait_until_ready(stop);
  }

  std::optional<std::string> perform(const faults::ProcessAction& action, const FaultId& fault) override {
    if (std::holds_alternative<faults::StartAgain>(action)) {
      restart_ = std::jthread([this](std::stop_token stop) { start_again(stop); });
      return std::nullopt;
    }
    try {
      return faults_.perform(action, fault);
    } catch (const std::exception&) {
      return std::nullopt;  // the guard is gone, and the process with it: its exit says so
    }
  }

  void ask_to_stop() override {
    restart_.request_stop();
    if (restart_.joinable()) restart_.join();
    faults_.let_go();
    asked_ = std::chrono::steady_clock::now();
    if (const auto child = this->child(); child && !child->exited()) {
      o_.recorder.record(
          asked_,
          history::SignalSent{.service = o_.service.id, .pid = child->pid(), .signal = run_.stop.signal});
      child->signal_family(SIGCONT);
      child->signal(run_.stop.signal);
    }
  }

  bool stopped() override {
    const auto child = this->child();
    return !child || child->wait(asked_ + run_.stop.grace).has_value();
  }

  std::optional<int> pid() const override {
    const auto child = this->child();
    return child && !child->exited() ? std::optional<int>(child->pid()) : std::nullopt;
  }
  std::string kind() const override { return "process"; }
  std::string log_path() const override { return o_.log_path; }
  std::vector<std::string> last_output(size_t lines) const override {
    const auto child = this->child();
    return child ? child->last_output_lines(lines) : std::vector<std::string>{};
  }

 private:
  std::shared_ptr<ChildProcess> child() const {
    const std::lock_guard lock(mutex_);
    return child_;
  }

  [[noreturn]] void fail(std::string what, std::string hint) const {
    throw SetupError(
        json::error_at(o_.service.span, "service `" + o_.service.id.text + "` " + what, std::move(hint)));
  }

  std::string quoted_output() const { return quoted(last_output(12)); }

  void spawn() {
    const auto lookup = lookup_for(o_.service.id, o_.addresses, o_.bin, o_.environment);
    std::vector<std::string> unknown;
    process::Command command;
    for (const auto& argument : run_.argv)
      command.argv.push_back(scenario::expand(argument, lookup, &unknown));
    for (const auto& [name, value] : run_.env) command.env[name] = scenario::expand(value, lookup, &unknown);
    command.cwd = scenario::expand(run_.cwd, lookup, &unknown);
    command.log_path = o_.log_path;
    if (!unknown.empty())
      fail("uses `${" + unknown.front() + "}`, which has no value here", "set the variable before running");
    // A relative path is one from where the service runs.
    if (command.argv.front().find('/') != std::string::npos &&
        !std::filesystem::exists(std::filesystem::path(command.cwd) / command.argv.front())) {
      fail("cannot be started: there is no program " + command.argv.front(),
           "build it first, or say with --bin DIR where the programs are");
    }
    try {
      // Its exit may be told before its start is known; the promise keeps them in order.
      std::promise<void> started;
      auto child = std::make_shared<ChildProcess>(
          o_.guard, command,
          [this, wait = started.get_future().share()](const process::ProcessExited& exited) {
            wait.wait_for(1s);
            o_.recorder.record(exited.at, history::ProcessExited{.service = o_.service.id,
                                                                 .pid = exited.pid,
                                                                 .code = exited.status.code,
                                                                 .signal = exited.status.signal});
          });
      o_.recorder.record(std::chrono::steady_clock::now(),
                         history::ProcessStarted{.service = o_.service.id, .pid = child->pid()});
      started.set_value();
      faults_.started(child->pid());
      const std::lock_guard lock(mutex_);
      child_ = std::move(child);
    } catch (const process::SpawnError& error) {
      fail(std::string("cannot be started: ") + error.what(), "");
    }
  }

  void wait_until_ready(const std::stop_token& stop) {
    const auto child = this->child();
    const Instant deadline = std::chrono::steady_clock::now() + run_.ready.within;
    const auto cancelled = [&] { return stop.stop_requested() || child->exited().has_value(); };
    std::string last;
    bool ready = false;
    std::string question;
    if (run_.ready.grpc_health) {
      question = "its health `" + *run_.ready.grpc_health + "` to be SERVING";
      ready =
          watch::wait_until_serving(o_.health_target, *run_.ready.grpc_health, deadline, cancelled, &last);
    } else {
      const std::string port_name = run_.ready.tcp.value_or("grpc");
      const uint16_t port = o_.addresses.ports.at(o_.service.id).at(port_name);
      question = "port " + std::to_string(port) + " to accept a connection";
      ready = wait_until_connectable(port, deadline, cancelled, last);
    }
    if (ready) {
      o_.recorder.record(std::chrono::steady_clock::now(), history::ServiceReady{.service = o_.service.id});
      return;
    }
    if (stop.stop_requested()) return;
    if (const auto exited = child->exited()) {
      fail("died before it was ready (" + process::to_text(exited->status) + ")" + quoted_output(),
           "it was started with: " + command_line(*child));
    }
    fail("was not ready within " + to_text(run_.ready.within) + ": waited for " + question +
             (last.empty() ? "" : ", last answer: " + last) + quoted_output(),
         "give it more time with `ready.within`, or see its log " + o_.log_path);
  }

  static bool wait_until_connectable(uint16_t port, Instant deadline, const std::function<bool()>& cancelled,
                                     std::string& last) {
    while (!cancelled() && std::chrono::steady_clock::now() < deadline) {
      const Instant slice = std::min(deadline, std::chrono::steady_clock::now() + 50ms);
      const auto result = process::wait_until_connectable("127.0.0.1", port, slice);
      if (result.outcome == process::Connectable::yes) return true;
      last = result.last_error;
    }
    return false;
  }

  static std::string command_line(const ChildProcess& child) {
    std::string line;
    for (const auto& argument : child.command().argv) line += (line.empty() ? "" : " ") + argument;
    return line;
  }

  /// On a thread of its own: whatever goes wrong is told to the history.
  void start_again(const std::stop_token& stop) {
    try {
      if (const auto old = child()) {
        // The port must be free: nothing of the old family may live on.
        if (!old->exited()) old->wait(std::chrono::steady_clock::now() + run_.stop.grace, stop);
        old->signal_family(SIGKILL);
        old->wait_family_gone(std::chrono::steady_clock::now() + 5s, stop);
      }
      if (stop.stop_requested()) return;
      spawn();
      wait_until_ready(stop);
    } catch (const std::exception& error) {
      if (!stop.stop_requested()) record_failure(error.what());
    } catch (...) {
      record_failure("for a reason nobody gave");
    }
  }

  void record_failure(std::string why) {
    o_.recorder.record(std::chrono::steady_clock::now(),
                       history::RestartFailed{.service = o_.service.id, .why = std::move(why)});
  }

  ServiceOptions o_;
  const scenario::RunCommand& run_;
  mutable std::mutex mutex_;
  std::shared_ptr<ChildProcess> child_;
  Instant asked_;
  ProcessFaults faults_;
  std::jthread restart_;
};

}  // namespace

std::unique_ptr<RunningService> make_process_service(ServiceOptions options) {
  return std::make_unique<ProcessService>(std::move(options));
}

}  // namespace breakwire::run
