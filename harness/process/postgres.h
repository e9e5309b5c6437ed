// A PostgreSQL server of one scenario's own, to be used, killed, frozen and restarted. Touches the guard, the
// file system, and its Unix socket.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/process/child_process.h"
#include "harness/process/database_connection.h"
#include "harness/process/postgres_template.h"

namespace breakwire::process {

struct PostgresOptions {
  std::string database = "shop";
  std::string schema_file{};              // SQL, applied once; empty: none
  std::string log_path{};                 // absolute; empty: in its own directory, and gone with it
  Duration ready_within = 10s;            // from the start until it answers; a killed one recovers first
  std::vector<std::string> settings{};    // further "name=value" of postgresql.conf; they come last and win
  std::function<void(pid_t)> on_start{};  // of every server, when its process is there; before its on_exit
  ExitCallback on_exit{};                 // of every server started, see ChildProcess
  std::stop_token stop{};                 // the run is ending: waiting is given up
};

/// Listens on a Unix socket only; the superuser `postgres` needs no password. Constructed means that it
/// answers and has its schema. The destructor kills it: nothing is asked of its data any more.
///
/// What was committed survives `kill`: synchronous_commit is on. fsync is off, for a process that dies takes
/// nothing from the page cache with it; only a machine that dies does.
///
/// One thread at a time may start, stop or destroy it; the other functions may be called from any.
class Postgres {
 public:
  /// Throws PostgresMissing, SpawnError, DatabaseError (it does not answer, or the schema is wrong: with file
  /// and line) or std::runtime_error, each with a sentence that quotes the server's last lines where it is to
  /// blame.
  Postgres(PostgresTemplate& origin, PostgresOptions options);
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// The Unix socket to dial, the same for ever: at most 107 bytes, "/tmp/breakwire-XXXXXX/.s.PGSQL.5432".
  const std::string& socket_path() const { return socket_path_; }
  /// As libpq takes it, for whoever dials past the relay.
  std::string conninfo() const { return conninfo_for(options_.database); }
  const std::string& database() const { return options_.database; }

  /// The postmaster, dead or alive; it is another after each start.
  std::shared_ptr<ChildProcess> process() const;
  pid_t pid() const { return process()->pid(); }
  bool running() const { return !process()->exited(); }

  /// SIGKILL to the postmaster and its backends at once: connections break, nothing is shut down. Returns
  /// when all of them are gone.
  void kill();
  /// SIGSTOP to the postmaster and its backends: connections stay, new ones are accepted by the kernel,
  /// nothing answers.
  void pause();
  void resume();
  /// A fast shutdown (SIGINT: sessions are broken off, data is checkpointed); false when it had to be killed
  /// after `grace`.
  bool stop(Duration grace = 5s);
  /// Starts it again after its end and returns when it answers; a server that still runs is killed first.
  /// Throws like the constructor.
  void start();

 private:
  std::string conninfo_for(const std::string& database) const;
  void wait_until_gone();
  void remove_traces();
  void wait_until_it_answers(const std::string& database);
  void apply_schema();
  std::string last_words() const;

  PostgresTemplate& origin_;
  const PostgresOptions options_;
  const std::optional<User> user_;
  TempDirectory directory_;
  const std::string data_;
  const std::string socket_path_;
  mutable std::mutex mutex_;
  std::shared_ptr<ChildProcess> process_;
};

}  // namespace breakwire::process
