#include "harness/run/command_load.h"

#include "harness/run/running_command.h"
#include "harness/run/running_service.h"

namespace breakwire::run {
namespace {

[[noreturn]] void fail(const scenario::Load& load, const std::string& what, std::string hint) {
  throw SetupError(json::error_at(load.span, "load `" + load.id.text + "` " + what, std::move(hint)));
}

class CommandLoad final : public load::RunningLoad {
 public:
  explicit CommandLoad(const CommandLoadOptions& options)
      : id_(options.load.id),
        recorder_(options.recorder),
        began_(std::chrono::steady_clock::now()),
        command_(options.guard, command_of(options),
                 options.load.length ? std::optional(began_ + *options.load.length) : std::nullopt,
                 {.started = [this] { recorder_.record(began_, history::LoadBegan{.load = id_}); },
                  .ended = [this](const CommandEnd& end) { record(end); }}) {}

  void stop() override { command_.stop(); }
  bool ended() const override { return command_.ended(); }
  uint64_t late_starts() const override { return 0; }  // when it means to call is its own business

 private:
  void record(const CommandEnd& end) {
    const Instant now = std::chrono::steady_clock::now();
    history::CommandEnded ended{
        .name = id_.text, .timed_out = end.told_to_end, .last_output = end.last_output};
    if (end.exited) {
      ended.code = end.exited->status.code;
      ended.signal = end.exited->status.signal;
    }
    recorder_.record(end.exited ? end.exited->at : now, std::move(ended));
    recorder_.record(now, history::LoadEnded{.load = id_});
  }

  const LoadId id_;
  Recorder& recorder_;
  const Instant began_;
  RunningCommand command_;
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
