// breakwire-guard: holds everything breakwire starts, and ends it when breakwire ends, however that happens.
//
// It runs in a session of its own and ignores the terminal's signals; descriptor 3 is its connection to
// breakwire. For every service it forks a keeper (keeper.h). When the connection closes, by SIGKILL of
// breakwire too, it kills every descendant, stopped ones and daemons included, until none is left, removes
// the directories it made, and exits. Not for people: started without the connection it says so and exits 2.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/process/guard_protocol.h"
#include "harness/process/keeper.h"
#include "harness/process/owned_directory.h"
#include "harness/process/process_tree.h"

namespace breakwire::process {
namespace {

constexpr int connection = 3;
constexpr int kill_again_ms = 5;
constexpr auto give_up_killing_after =
    std::chrono::seconds(30);  // a process in state D ends when the kernel lets it

class GuardProgram {
 public:
  GuardProgram() : signals_(child_signals()) { send_message(connection, message::Ready{::getpid()}); }

  void serve() {
    while (!breakwire_gone_) {
      std::vector<pollfd> sources{{.fd = signals_, .events = POLLIN}, {.fd = connection, .events = POLLIN}};
      std::vector<ProcessNumber> numbers;
      for (const auto& [number, kept] : kept_) {
        if (kept.socket < 0) continue;
        sources.push_back({.fd = kept.socket, .events = POLLIN});
        numbers.push_back(number);
      }
      if (::poll(sources.data(), sources.size(), -1) < 0) continue;
      // Keepers first: what they said before they ended is said before the end is noticed.
      for (size_t i = 0; i < numbers.size(); ++i)
        if (sources[i + 2].revents != 0) hear_keeper(numbers[i]);
      if (sources[0].revents != 0) reap();
      if (sources[1].revents != 0) hear_breakwire();
    }
  }

  void end_everything() {
    const auto deadline = std::chrono::steady_clock::now() + give_up_killing_after;
    while (std::chrono::steady_clock::now() < deadline) {
      signal_descendants(::getpid(), SIGKILL);
      pid_t pid = 0;
      while ((pid = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      if (pid < 0 && errno == ECHILD) break;
      pollfd child{.fd = signals_, .events = POLLIN};
      ::poll(&child, 1, kill_again_ms);
      drain_signals();
    }
    for (const ProcessInfo& left : descendants_of(::getpid()))
      std::fprintf(stderr, "breakwire-guard: process %d could not be killed\n", left.pid);
    for (const std::string& directory : directories_) remove_owned_directory(directory);
  }

 private:
  struct Kept {
    pid_t keeper = 0;
    int socket = -1;
    pid_t service = 0;
    bool service_ended = false;
  };

  void drain_signals() {
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof info) > 0) {
    }
  }

  void hear_breakwire() {
    const auto message = receive_message(connection);
    if (!message) {
      breakwire_gone_ = true;
    } else if (const auto* spawn = std::get_if<message::Spawn>(&*message)) {
      start_keeper(*spawn);
    } else if (const auto* order = std::get_if<message::Signal>(&*message)) {
      const auto kept = kept_.find(order->process);
      if (kept == kept_.end() || kept->second.socket < 0 || !send_message(kept->second.socket, *order))
        send_message(connection, message::Signalled{order->process, order->request, 0});
      else
        unanswered_[order->process].insert(order->request);
    } else if (const auto* wish = std::get_if<message::MakeDirectory>(&*message)) {
      const std::string path = make_owned_directory(wish->parent);
      const int error = path.empty() ? errno : 0;
      if (error == 0) directories_.insert(path);
      send_message(connection, message::DirectoryMade{wish->request, path, error});
    } else if (const auto* forget = std::get_if<message::ForgetDirectory>(&*message)) {
      directories_.erase(forget->path);
    }
  }

  void start_keeper(const message::Spawn& spawn) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      send_message(connection, message::SpawnFailed{spawn.process, SpawnStep::fork, errno});
      return;
    }
    const pid_t pid = ::fork();
    if (pid == 0) keep(spawn, ends[1]);
    const int error = errno;
    ::close(ends[1]);
    if (pid < 0) {
      ::close(ends[0]);
      send_message(connection, message::SpawnFailed{spawn.process, SpawnStep::fork, error});
      return;
    }
    kept_[spawn.process] = {.keeper = pid, .socket = ends[0]};
  }

  void hear_keeper(ProcessNumber number) {
    Kept& kept = kept_.at(number);
    const auto message = receive_message(kept.socket);
    if (!message) {
      lose_keeper(number);
      return;
    }
    if (const auto* spawned = std::get_if<message::Spawned>(&*message)) kept.service = spawned->pid;
    if (std::holds_alternative<message::Exited>(*message)) kept.service_ended = true;
    if (const auto* answer = std::get_if<message::Signalled>(&*message))
      unanswered_[number].erase(answer->request);
    const bool last = std::holds_alternative<message::TreeGone>(*message) ||
                      std::holds_alternative<message::SpawnFailed>(*message);
    if (last) forget(number);
    send_message(connection, *message);
  }

  /// Every order gets an answer, the one that crossed the family's end on its way too.
  void forget(ProcessNumber number) {
    for (const uint32_t request : unanswered_[number])
      send_message(connection, message::Signalled{number, request, 0});
    unanswered_.erase(number);
    if (kept_.at(number).socket >= 0) ::close(kept_.at(number).socket);
    kept_.erase(number);
  }

  /// A keeper ended before its family: somebody killed it. The family, ours to reap now, goes with it.
  void lose_keeper(ProcessNumber number) {
    Kept& kept = kept_.at(number);
    ::close(std::exchange(kept.socket, -1));
    while (::waitpid(kept.keeper, nullptr, 0) < 0 && errno == EINTR) {
    }
    std::set<pid_t> keepers;
    for (const auto& [other, one] : kept_) keepers.insert(one.keeper);
    for (const ProcessInfo& stray : descendants_of(::getpid())) {
      if (stray.parent != ::getpid() || keepers.contains(stray.pid)) continue;
      signal_descendants(stray.pid, SIGKILL);
      send_signal(stray, SIGKILL);
    }
    if (kept.service == 0) {  // it never came to say whether it had started
      send_message(connection, message::SpawnFailed{number, SpawnStep::fork, ECHILD});
      forget(number);
    } else if (kept.service_ended) {
      send_message(connection, message::TreeGone{number});
      forget(number);
    }  // else its end will be seen when it is reaped
  }

  void reap() {
    drain_signals();
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      for (const auto& [number, kept] : kept_) {
        if (kept.service != pid || kept.socket >= 0) continue;  // its keeper is gone, so it was ours to reap
        send_message(connection, exit_message(number, pid, status));
        send_message(connection, message::TreeGone{number});
        forget(number);
        break;
      }
    }
  }

  const int signals_;
  bool breakwire_gone_ = false;
  std::map<ProcessNumber, Kept> kept_;
  std::map<ProcessNumber, std::set<uint32_t>> unanswered_;  // orders passed on to keepers
  std::set<std::string> directories_;
};

}  // namespace
}  // namespace breakwire::process

int main() {
  using namespace breakwire::process;
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(connection, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET) {
    std::fputs("breakwire-guard is started by breakwire itself, not by hand\n", stderr);
    return 2;
  }
  for (const int signo : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU})
    ::signal(signo, SIG_IGN);
  close_from(connection + 1);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  GuardProgram guard;
  guard.serve();
  guard.end_everything();
  return 0;
}
