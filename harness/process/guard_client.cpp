#include "harness/process/guard_client.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <utility>

extern "C" char** environ;

namespace breakwire::process {
namespace {

constexpr int connection = 3;  // the descriptor the guard finds its connection on

[[noreturn]] void guard_is_gone() {
  throw std::runtime_error(
      "breakwire's guard process was killed by somebody, and every service with it: run again, and spare the "
      "process "
      "`breakwire-guard`");
}

std::string beside_this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "breakwire-guard").string();
}

/// Starts `program` in a session of its own with `socket` as its descriptor 3. Returns an errno.
int spawn_guard(const std::string& program, int socket, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, socket, connection);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  std::string name = program;
  char* argv[] = {name.data(), nullptr};
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

std::vector<std::string> assignments(const std::map<std::string, std::string>& env) {
  std::vector<std::string> result;
  for (const auto& [name, value] : env) result.push_back(name + "=" + value);
  return result;
}

}  // namespace

GuardClient::GuardClient(const GuardOptions& options) {
  start(options.program.empty() ? beside_this_program() : options.program);
  reader_ = std::thread([this] { read_messages(); });
}

void GuardClient::start(const std::string& program) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot connect breakwire with its guard");
  socket_ = ends[0];
  // Descriptor 3 duplicated onto itself would keep its close-on-exec flag with some C libraries; move out of
  // the way.
  const int theirs = ::fcntl(ends[1], F_DUPFD_CLOEXEC, connection + 1);
  ::close(ends[1]);
  const int error = spawn_guard(program, theirs, pid_);
  ::close(theirs);
  const auto hello = error == 0 ? receive_message(socket_) : std::nullopt;
  if (hello && std::holds_alternative<message::Ready>(*hello)) return;
  ::close(socket_);
  if (error == 0) ::waitpid(pid_, nullptr, 0);
  throw SpawnError("cannot start breakwire's guard `" + program +
                       "`: " + (error == 0 ? "it ended at once" : std::generic_category().message(error)) +
                       "; it belongs beside the program `breakwire`, build or install both",
                   std::error_code(error, std::generic_category()));
}

GuardClient::~GuardClient() {
  ::shutdown(socket_, SHUT_WR);  // the guard takes it as our end, and closes its side when everything is gone
  reader_.join();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(socket_);
}

uint32_t GuardClient::next_number() {
  const std::lock_guard lock(mutex_);
  return ++last_number_;
}

std::shared_ptr<GuardedProcess> GuardClient::spawn(const Command& command, ExitCallback on_exit) {
  assert(std::this_thread::get_id() != reader_.get_id() && "an ExitCallback must not wait for the guard");
  auto process = std::make_shared<GuardedProcess>();
  process->number = next_number();
  process->on_exit = std::move(on_exit);
  look([&] { processes_[process->number] = process; });
  const message::Spawn request{.process = process->number,
                               .argv = command.argv,
                               .env = assignments(command.env),
                               .cwd = command.cwd,
                               .log_path = command.log_path,
                               .change_user = command.user.has_value(),
                               .uid = command.user ? command.user->uid : 0,
                               .gid = command.user ? command.user->gid : 0};
  if (!send_message(socket_, request)) {
    const int error = errno;
    look([&] { processes_.erase(process->number); });
    if (error != EMSGSIZE) guard_is_gone();
    throw spawn_error(command, {process->number, SpawnStep::execute, E2BIG});
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return gone_ || process->pid != 0 || process->failed; });
  if (process->failed) throw spawn_error(command, *process->failed);
  if (process->pid == 0) guard_is_gone();
  return process;
}

int GuardClient::signal(const GuardedProcess& process, int signo, bool tree) {
  const uint32_t request = next_number();
  if (look([&] { return process.tree_gone || gone_; })) return 0;
  const Answer answer = ask(request, message::Signal{process.number, request, signo, tree});
  return std::get<message::Signalled>(answer).receivers;
}

void GuardClient::silence(GuardedProcess& process) {
  const std::lock_guard lock(process.callback_mutex);
  process.on_exit = nullptr;
}

std::string GuardClient::make_directory(const std::string& parent) {
  const uint32_t request = next_number();
  const auto made = std::get<message::DirectoryMade>(ask(request, message::MakeDirectory{request, parent}));
  if (made.error != 0)
    throw std::system_error(
        made.error, std::generic_category(),
        "cannot make a temporary directory in `" + parent + "` (TMPDIR chooses another place)");
  return made.path;
}

void GuardClient::forget_directory(const std::string& path) {
  send_message(socket_, message::ForgetDirectory{path});
}

GuardClient::Answer GuardClient::ask(uint32_t request, const Message& question) {
  assert(std::this_thread::get_id() != reader_.get_id() && "an ExitCallback must not wait for the guard");
  if (!send_message(socket_, question)) guard_is_gone();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return gone_ || answers_.contains(request); });
  const auto found = answers_.extract(request);
  if (found.empty()) guard_is_gone();
  return std::move(found.mapped());
}

void GuardClient::read_messages() {
  while (const auto message = receive_message(socket_)) hear(*message);
  lose_guard();
}

void GuardClient::hear(const Message& message) {
  if (const auto* exit = std::get_if<message::Exited>(&message)) return hear_exit(*exit);
  const std::lock_guard lock(mutex_);
  const auto process_of = [&](ProcessNumber number) {
    const auto found = processes_.find(number);
    return found != processes_.end() ? found->second.get() : nullptr;
  };
  if (const auto* spawned = std::get_if<message::Spawned>(&message)) {
    if (auto* process = process_of(spawned->process)) process->pid = spawned->pid;
  } else if (const auto* failed = std::get_if<message::SpawnFailed>(&message)) {
    if (auto* process = process_of(failed->process)) process->failed = *failed;
    processes_.erase(failed->process);
  } else if (const auto* orphan = std::get_if<message::OrphanReaped>(&message)) {
    if (auto* process = process_of(orphan->process)) ++process->orphans_reaped;
  } else if (const auto* end = std::get_if<message::TreeGone>(&message)) {
    if (auto* process = process_of(end->process)) process->tree_gone = true;
    processes_.erase(end->process);
  } else if (const auto* signalled = std::get_if<message::Signalled>(&message)) {
    answers_.emplace(signalled->request, *signalled);
  } else if (const auto* made = std::get_if<message::DirectoryMade>(&message)) {
    answers_.emplace(made->request, *made);
  }
  changed_.notify_all();
}

void GuardClient::hear_exit(const message::Exited& exit) {
  const auto process = look([&]() -> std::shared_ptr<GuardedProcess> {
    const auto found = processes_.find(exit.process);
    return found != processes_.end() ? found->second : nullptr;
  });
  if (!process) return;
  ProcessExited event{.pid = exit.pid, .at = Instant(Duration(exit.time_ns))};
  if (exit.signo != 0)
    event.status.signal = exit.signo;
  else
    event.status.code = exit.code;
  // Held from before the exit is known, so that whoever learns of it and destroys the process waits for the
  // callback.
  const std::lock_guard lock(process->callback_mutex);
  look([&] { process->exited = event; });
  changed_.notify_all();
  if (process->on_exit) process->on_exit(event);
}

void GuardClient::lose_guard() {
  std::vector<std::shared_ptr<GuardedProcess>> lost;
  {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    for (const auto& [number, process] : processes_) lost.push_back(process);
  }
  // The keepers, finding the guard gone, kill what they keep.
  const Duration now = std::chrono::steady_clock::now().time_since_epoch();
  for (const auto& process : lost) {
    if (look([&] { return process->pid != 0 && !process->exited; }))
      hear_exit({.process = process->number, .pid = process->pid, .signo = SIGKILL, .time_ns = now.count()});
    hear(message::TreeGone{process->number});
  }
  changed_.notify_all();
}

SpawnError spawn_error(const Command& command, const message::SpawnFailed& failure) {
  const std::string program = command.argv.empty() ? std::string() : command.argv.front();
  const std::string reason = std::generic_category().message(failure.error);
  const bool is_path = program.find('/') != std::string::npos;
  std::string why = reason;
  switch (failure.step) {
    case SpawnStep::fork:
      why = "no new process: " + reason;
      break;
    case SpawnStep::open_log:
      why = "its log `" + command.log_path + "` cannot be opened: " + reason;
      break;
    case SpawnStep::change_user:
      why = "cannot become the user `" + (command.user ? command.user->name : "") + "`: " + reason;
      break;
    case SpawnStep::change_directory:
      why = "its directory `" + command.cwd + "` cannot be entered: " + reason;
      break;
    case SpawnStep::execute:
      if (program.empty())
        why = "the command is empty";
      else if (!is_path &&
               (failure.error == ENOENT || failure.error == EACCES))  // EACCES: of a closed directory in PATH
        why = "PATH holds no such program that may be run; install it or give its path";
      else if (failure.error == ENOENT && std::filesystem::exists(program))
        why = "the interpreter or loader it names does not exist";
      else if (failure.error == ENOENT)
        why = "there is no such file; build it or correct the path";
      else if (failure.error == EACCES)
        why = "it is not an executable file, or lies where its user may not look";
      else if (failure.error == E2BIG)
        why = "its command line and environment are too long";
      break;
  }
  return SpawnError("cannot start `" + program + "`: " + why,
                    std::error_code(failure.error, std::generic_category()));
}

}  // namespace breakwire::process
