#include "harness/process/child_process.h"

#include <csignal>
#include <utility>

#include "harness/process/guard_client.h"
#include "harness/process/log_tail.h"

namespace breakwire::process {
namespace {

constexpr Duration longest_kill =
    10s;  // a killed process in state D ends when the kernel lets it; do not hang for it

}  // namespace

ChildProcess::ChildProcess(Guard& guard, Command command, ExitCallback on_exit)
    : guard_(guard),
      command_(std::move(command)),
      log_start_(size_of_file(command_.log_path)),
      process_(guard.client().spawn(command_, std::move(on_exit))),
      pid_(guard.client().look([&] { return process_->pid; })) {}

ChildProcess::~ChildProcess() {
  GuardClient::silence(*process_);
  try {
    signal_family(SIGKILL);
  } catch (const std::runtime_error&) {
    return;  // the guard is gone, and the family with it
  }
  wait_family_gone(std::chrono::steady_clock::now() + longest_kill);
}

bool ChildProcess::signal(int signo) { return guard_.client().signal(*process_, signo, false) > 0; }

int ChildProcess::signal_family(int signo) { return guard_.client().signal(*process_, signo, true); }

std::optional<ProcessExited> ChildProcess::exited() const {
  return guard_.client().look([&] { return process_->exited; });
}

std::optional<ProcessExited> ChildProcess::wait(Instant deadline, const std::stop_token& stop) const {
  guard_.client().wait(deadline, stop, [&] { return process_->exited.has_value(); });
  return exited();
}

bool ChildProcess::wait_family_gone(Instant deadline, const std::stop_token& stop) const {
  return guard_.client().wait(deadline, stop, [&] { return process_->tree_gone; });
}

size_t ChildProcess::orphans_reaped() const {
  return guard_.client().look([&] { return process_->orphans_reaped; });
}

std::vector<std::string> ChildProcess::last_output_lines(size_t count) const {
  return last_lines(command_.log_path, log_start_, count);
}

}  // namespace breakwire::process
