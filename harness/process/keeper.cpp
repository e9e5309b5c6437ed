#include "harness/process/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "harness/process/process_tree.h"
#include "harness/process/service_start.h"

namespace breakwire::process {
namespace {

constexpr int kill_again_ms =
    5;  // a family that is being killed is looked at this often: it may have forked meanwhile

class Keeper {
 public:
  Keeper(const message::Spawn& spawn, int socket)
      : spawn_(spawn), socket_(socket), signals_(child_signals()) {}

  void run() {
    const Start start = start_service(spawn_);
    if (start.error != 0) {
      send_message(socket_, message::SpawnFailed{spawn_.process, start.step, start.error});
      return;
    }
    service_ = start.pid;
    send_message(socket_, message::Spawned{spawn_.process, service_});
    while (reap()) {
      if (killing_) signal_descendants(::getpid(), SIGKILL);
      wait_for_something();
    }
    send_message(socket_, message::TreeGone{spawn_.process});
  }

 private:
  /// Takes every dead child; false when none is left, dead or alive.
  bool reap() {
    while (true) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid < 0) return errno != ECHILD;
      if (pid == 0) return true;
      if (pid == service_) {
        service_ = 0;
        send_message(socket_, exit_message(spawn_.process, pid, status));
      } else {
        send_message(socket_, message::OrphanReaped{spawn_.process, pid});
      }
    }
  }

  void wait_for_something() {
    pollfd sources[] = {{.fd = signals_, .events = POLLIN},
                        {.fd = guard_gone_ ? -1 : socket_, .events = POLLIN}};
    if (::poll(sources, 2, killing_ ? kill_again_ms : -1) < 0) return;
    if (sources[0].revents != 0) {
      signalfd_siginfo ignored;
      [[maybe_unused]] const ssize_t size = ::read(signals_, &ignored, sizeof ignored);
    }
    if (sources[1].revents == 0) return;
    const auto message = receive_message(socket_);
    if (!message) {
      guard_gone_ = true;
      killing_ = true;
    } else if (const auto* order = std::get_if<message::Signal>(&*message)) {
      send_message(socket_, message::Signalled{spawn_.process, order->request, obey(*order)});
    }
  }

  int obey(const message::Signal& order) {
    // A child that is dead but not yet reaped still owns its pid, so kill(2) cannot hit anybody else.
    if (!order.tree) return service_ != 0 && alive(service_) && ::kill(service_, order.signo) == 0 ? 1 : 0;
    if (order.signo == SIGKILL) killing_ = true;
    return signal_descendants(::getpid(), order.signo);
  }

  static bool alive(pid_t pid) {
    const auto info = process_info(pid);
    return info && info->state != 'Z' && info->state != 'X';
  }

  const message::Spawn& spawn_;
  const int socket_;
  const int signals_;
  pid_t service_ = 0;
  bool killing_ = false;
  bool guard_gone_ = false;
};

}  // namespace

void keep(const message::Spawn& spawn, int socket) {
  constexpr int kept = 3;
  if (socket != kept) {
    ::dup3(socket, kept, O_CLOEXEC);
  }
  close_from(kept + 1);
  ::prctl(PR_SET_NAME, "breakwire-keep");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Keeper(spawn, kept).run();
  ::_exit(0);
}

int child_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void close_from(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0U, 0) == 0) return;
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < most; ++fd) ::close(fd);
}

message::Exited exit_message(ProcessNumber process, pid_t pid, int status) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  message::Exited exited{.process = process, .pid = pid};
  exited.time_ns = int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  if (WIFSIGNALED(status))
    exited.signo = WTERMSIG(status);
  else
    exited.code = WEXITSTATUS(status);
  return exited;
}

}  // namespace breakwire::process
