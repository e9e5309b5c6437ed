#include "harness/run/running_command.h"

#include <csignal>

namespace breakwire::run {
namespace {

constexpr Duration grace = 2s;        // between SIGTERM and SIGKILL
constexpr Duration death_takes = 5s;  // of a whole family, on a busy machine
constexpr size_t quoted_lines = 12;

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

RunningCommand::RunningCommand(process::Guard& guard, process::Command command, std::optional<Instant> until,
                               Told told)
    : told_(std::move(told)), child_(guard, std::move(command)) {
  told_.started();
  waiter_ = std::thread([this, until] { see_it_through(until); });
}

RunningCommand::~RunningCommand() {
  kill_.request_stop();
  finish();
}

void RunningCommand::finish() {
  stop();
  if (waiter_.joinable()) waiter_.join();
}

void RunningCommand::see_it_through(std::optional<Instant> until) {
  CommandEnd end;
  try {
    end.exited = child_.wait(until.value_or(now() + 24h), stop_.get_token());
    const Instant told_to_end = now();
    if (!end.exited) end.exited = end_it();
    // What it left running would go on with what it does.
    child_.signal_family(SIGKILL);
    child_.wait_family_gone(now() + death_takes);
    end.told_to_end = !end.exited || end.exited->at >= told_to_end;
  } catch (const std::exception&) {
    // The guard is gone, and the command with it.
    end.exited = child_.exited();
    end.told_to_end = true;
  }
  end.last_output = child_.last_output_lines(quoted_lines);
  told_.ended(end);
  ended_ = true;
}

std::optional<process::ProcessExited> RunningCommand::end_it() {
  child_.signal_family(SIGTERM);
  if (auto exited = child_.wait(now() + grace, kill_.get_token())) return exited;
  child_.signal_family(SIGKILL);
  return child_.wait(now() + death_takes);
}

}  // namespace breakwire::run
