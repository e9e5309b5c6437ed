#include "harness/run/command_load.h"

#include <atomic>
#include <csignal>
#include <thread>

#include "harness/process/child_process.h"
#include "harness/run/running_service.h"

namespace breakwire::run {
namespace {

using process::ChildProcess;

constexpr Duration grace = 2s;        // between SIGTERM and SIGKILL
constexpr Duration death_takes = 5s;  // of a whole family, on a busy machine
constexpr size_t quoted_lines = 12;

Instant now() { return std::chrono::steady_clock::now(); }

[[noreturn]] void fail(const scenario::Load& load, const std::string& what, std::string hint) {
  throw SetupError(json::error_at(load.span, "load `" + load.id.text + "` " + what, std::move(hint)));
}

class CommandLoad final : public load::RunningLoad {
 public:
  explicit CommandLoad(const CommandLoadOptions& options)
      : id_(options.load.id),
        recorder_(options.recorder),
        began_(now()),
        end_(options.load.length ? std::optional(began_ + *options.load.length) : std::nullopt),
        child_(options.guard, command_of(options)) {
    recorder_.record(began_, history::LoadBegan{.load = id_});
    waiter_ = std::thread([this] { see_it_through(); });
  }

  ~CommandLoad() override {
    stop_.request_stop();
    kill_.request_stop();
    waiter_.join();
  }

  void stop() override { stop_.request_stop(); }
  bool ended() const override { return ended_; }
  uint64_t late_starts() const override { return 0; }  // when it means to call is its own business

 private:
  void see_it_through() {
    auto exited = child_.wait(end_.value_or(began_ + 24h), stop_.get_token());
    const Instant told_to_end = now();
    if (!exited) exited = end_it();
    // What it left running would go on calling.
    child_.signal_family(SIGKILL);
    child_.wait_family_gone(now() + death_takes);
    history::CommandEnded ended{.name = id_.text, .last_output = child_.last_output_lines(quoted_lines)};
    if (exited) {
      ended.code = exited->status.code;
      ended.signal = exited->status.signal;
    }
    ended.timed_out = !exited || exited->at >= told_to_end;
    recorder_.record(exited ? exited->at : now(), std::move(ended));
    recorder_.record(now(), history::LoadEnded{.load = id_});
    ended_ = true;
  }

  std::optional<process::ProcessExited> end_it() {
    child_.signal_family(SIGTERM);
    if (auto exited = child_.wait(now() + grace, kill_.get_token())) return exited;
    child_.signal_family(SIGKILL);
    return child_.wait(now() + death_takes);
  }

  const LoadId id_;
  Recorder& recorder_;
  const Instant began_;
  const std::optional<Instant> end_;
  ChildProcess child_;
  std::stop_source stop_, kill_;
  std::atomic<bool> ended_ = false;
  std::thread waiter_;
};

}  // namespace

process::Command command_of(const CommandLoadOptions& options) {
  // Texts of a load may name what begins at `client`, which is no service and has no ports.
  const auto lookup = lookup_for({"client"}, options.addresses, options.bin, options.environment);
  const auto filled_in = [&](const std::string& text) {
    std::vector<std::string> unknown;
    std::string filled = scenario::expand(text, lookup, &unknown);
    if (!unknown.empty())
      fail(options.load, "uses `${" + unknown.front() + "}`, which has no value here",
           "set the variable before running");
    return filled;
  };
  process::Command command{.cwd = filled_in(options.load.cwd), .log_path = options.log_path};
  for (const auto& argument : options.load.command) command.argv.push_back(filled_in(argument));
  for (const auto& [name, value] : options.load.env) command.env[name] = filled_in(value);
  return command;
}

std::unique_ptr<load::RunningLoad> start_command(const CommandLoadOptions& options) {
  try {
    return std::make_unique<CommandLoad>(options);
  } catch (const process::SpawnError& error) {
    fail(options.load, std::string("cannot be started: ") + error.what(), "");
  }
}

}  // namespace breakwire::run
