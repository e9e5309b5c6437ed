// The conversation with the guard. For guard.h, child_process.h and temp_directory.h only; everybody else
// uses those. Owns the connection and the thread that reads it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

#include "harness/process/command.h"
#include "harness/process/guard.h"
#include "harness/process/guard_protocol.h"

namespace breakwire::process {

/// What is known of one process. Guarded by the client's mutex, but for the callback, which has its own so
/// that it can be silenced without being in the middle of it.
struct GuardedProcess {
  ProcessNumber number = 0;
  pid_t pid = 0;  // 0: not started (yet)
  std::optional<message::SpawnFailed> failed{};
  std::optional<ProcessExited> exited{};
  bool tree_gone = false;
  size_t orphans_reaped = 0;
  std::mutex callback_mutex{};
  ExitCallback on_exit{};
};

class GuardClient {
 public:
  explicit GuardClient(const GuardOptions& options);
  ~GuardClient();
  GuardClient(const GuardClient&) = delete;
  GuardClient& operator=(const GuardClient&) = delete;

  pid_t pid() const { return pid_; }
  bool lost() const {
    const std::lock_guard lock(mutex_);
    return gone_;
  }

  std::shared_ptr<GuardedProcess> spawn(const Command& command, ExitCallback on_exit);
  /// How many processes got the signal.
  int signal(const GuardedProcess& process, int signo, bool tree);
  /// Afterwards the callback is not running and will not be called.
  static void silence(GuardedProcess& process);

  /// Waits until `done` holds, the deadline has passed or `stop` is requested; says what `done` says then.
  /// When the guard is lost all its processes are reported ended and gone, so nobody waits for it in vain.
  template <class Done>
  bool wait(Instant deadline, const std::stop_token& stop, Done done) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, stop, deadline, done);
  }
  /// Reads something of a process under the lock.
  template <class Read>
  auto look(Read read) const {
    const std::lock_guard lock(mutex_);
    return read();
  }

  std::string make_directory(const std::string& parent);
  void forget_directory(const std::string& path);

 private:
  using Answer = std::variant<message::Signalled, message::DirectoryMade>;

  void start(const std::string& program);
  uint32_t next_number();
  Answer ask(uint32_t request, const Message& question);
  void read_messages();
  void hear(const Message& message);
  void hear_exit(const message::Exited& exit);
  void lose_guard();

  pid_t pid_ = 0;
  int socket_ = -1;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  bool gone_ = false;
  uint32_t last_number_ = 0;
  std::map<ProcessNumber, std::shared_ptr<GuardedProcess>> processes_;
  std::map<uint32_t, Answer> answers_;
  std::thread reader_;
};

/// The sentence for a failed start.
SpawnError spawn_error(const Command& command, const message::SpawnFailed& failure);

}  // namespace breakwire::process
