#include "harness/process/postgres.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <system_error>
#include <utility>

#include "harness/process/owned_directory.h"

namespace breakwire::process {
namespace {

constexpr Duration longest_end = 10s;     // of a family that has been killed
constexpr Duration longest_attempt = 1s;  // to connect; a backend that is lost in a start is not waited for
constexpr int look_again_ms = 3;
constexpr const char* port = "5432";  // names the socket file, nothing else; $PGPORT must not

Instant now() { return std::chrono::steady_clock::now(); }

std::string quoted(const std::string& identifier) {
  std::string result = "\"";
  for (const char c : identifier) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::vector<std::string> arguments(const std::string& program, const std::string& data,
                                   const std::string& sockets, const std::vector<std::string>& more) {
  std::vector<std::string> settings = {
      "listen_addresses=",
      // Nothing a killed process leaves in the page cache is lost, so nothing need go to the disk.
      // synchronous_commit must stay on: without it a commit is acknowledged while it is in the process's own
      // memory only.
      "fsync=off", "full_page_writes=off", "synchronous_commit=on",
      // Files in the data directory, which go with it; a killed server would leave /dev/shm/PostgreSQL.* for
      // ever.
      "dynamic_shared_memory_type=mmap",
      // It lives for seconds and serves one scenario: no replication, no housekeeping.
      "wal_level=minimal", "max_wal_senders=0", "max_logical_replication_workers=0", "autovacuum=off",
      "jit=off", "shared_buffers=16MB"};
  settings.insert(settings.end(), more.begin(), more.end());
  std::vector<std::string> result{program, "-D", data, "-k", sockets, "-p", port};
  for (const std::string& setting : settings) {
    result.push_back("-c");
    result.push_back(setting);
  }
  return result;
}

/// The line of a position in characters (not bytes), both from 1.
size_t line_at(const std::string& text, size_t position) {
  size_t characters = 0, line = 1;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++characters == position) break;
    if (c == '\n') ++line;
  }
  return line;
}

}  // namespace

Postgres::Postgres(PostgresTemplate& origin, PostgresOptions options)
    : origin_(origin),
      options_(std::move(options)),
      user_(origin.user()),
      directory_(origin.guard(), place_for_databases(user_)),
      data_(directory_.path() + "/data"),
      socket_path_(directory_.path() + "/.s.PGSQL." + port) {
  // The server keeps its socket and its lock beside its data, so the directory must be its user's.
  if (user_ && ::chown(directory_.path().c_str(), user_->uid, user_->gid) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "cannot give `" + directory_.path() + "` to `" + user_->name + "`");
  origin_.copy_to(data_, options_.stop);
  start();
}

Postgres::~Postgres() {
  try {
    if (process_) kill();
  } catch (const std::runtime_error&) {
    // the guard is gone, and the server with it
  }
}

std::shared_ptr<ChildProcess> Postgres::process() const {
  const std::lock_guard lock(mutex_);
  return process_;
}

void Postgres::kill() {
  process()->signal_family(SIGKILL);
  wait_until_gone();
}

void Postgres::pause() { process()->signal_family(SIGSTOP); }
void Postgres::resume() { process()->signal_family(SIGCONT); }

bool Postgres::stop(Duration grace) {
  const auto server = process();
  server->signal(SIGINT);
  const bool in_time = server->wait_family_gone(now() + grace, options_.stop);
  if (!in_time) kill();
  return in_time;
}

void Postgres::start() {
  const bool first = !process();
  if (!first) kill();
  remove_traces();
  Command command{.argv = arguments(origin_.postgres_program(), data_, directory_.path(), options_.settings),
                  .cwd = directory_.path(),
                  .log_path = options_.log_path.empty() ? directory_.path() + "/log" : options_.log_path,
                  .user = user_};
  // Its exit may be told before its start is known; the promise keeps them in order.
  std::promise<void> started;
  ExitCallback on_exit;
  if (options_.on_exit)
    on_exit = [this, wait = started.get_future().share()](const ProcessExited& exited) {
      wait.wait_for(1s);
      options_.on_exit(exited);
    };
  auto server = std::make_shared<ChildProcess>(origin_.guard(), std::move(command), std::move(on_exit));
  if (options_.on_start) options_.on_start(server->pid());
  started.set_value();
  {
    const std::lock_guard lock(mutex_);
    process_ = std::move(server);
  }
  if (!first) return wait_until_it_answers(options_.database);
  wait_until_it_answers("template1");
  if (options_.database != "postgres")  // a new name for the empty database takes 2 ms, a new database 80
    DatabaseConnection(conninfo_for("template1"), now() + options_.ready_within, options_.stop)
        .query("ALTER DATABASE postgres RENAME TO " + quoted(options_.database),
               now() + options_.ready_within, options_.stop);
  apply_schema();
}

std::string Postgres::conninfo_for(const std::string& database) const {
  std::string name = "'";
  for (const char c : database) name += (c == '\'' || c == '\\' ? std::string("\\") : std::string()) + c;
  return "host=" + directory_.path() + " port=" + port + " user=postgres dbname=" + name + "'";
}

void Postgres::wait_until_gone() {
  if (!process()->wait_family_gone(now() + longest_end))
    throw std::runtime_error("PostgreSQL (pid " + std::to_string(pid()) + ") was killed and does not end");
}

/// What a killed server leaves would make the next one believe that it still runs, if its pid has been given
/// away.
void Postgres::remove_traces() {
  const std::string lock_file = data_ + "/postmaster.pid";
  remove_shared_memory_of(lock_file);
  std::error_code ignored;
  for (const std::string& trace : {lock_file, socket_path_, socket_path_ + ".lock"})
    std::filesystem::remove(trace, ignored);
}

void Postgres::wait_until_it_answers(const std::string& database) {
  const Instant deadline = now() + options_.ready_within;
  while (true) {
    try {
      DatabaseConnection(conninfo_for(database), std::min(deadline, now() + longest_attempt), options_.stop);
      return;
    } catch (const DatabaseError& error) {
      if (const auto exit = process()->exited())
        throw DatabaseError("PostgreSQL ended at its start, " + to_text(exit->status) + last_words());
      if (now() >= deadline || options_.stop.stop_requested())
        throw DatabaseError("PostgreSQL is not ready: " + std::string(error.what()) + last_words());
    }
    ::poll(nullptr, 0, look_again_ms);
  }
}

void Postgres::apply_schema() {
  if (options_.schema_file.empty()) return;
  std::ifstream file(options_.schema_file);
  std::ostringstream text;
  if (!(text << file.rdbuf())) throw DatabaseError("cannot read the schema `" + options_.schema_file + "`");
  const std::string sql = text.str();
  const Instant deadline = now() + options_.ready_within;
  try {
    DatabaseConnection(conninfo(), deadline, options_.stop).query(sql, deadline, options_.stop);
  } catch (const DatabaseError& error) {
    const auto position = error.position();
    throw DatabaseError(options_.schema_file +
                        (position ? ":" + std::to_string(line_at(sql, *position)) : "") +
                        ": the schema is refused: " + error.what());
  }
}

std::string Postgres::last_words() const {
  std::string said;
  for (const std::string& line : process()->last_output_lines(10)) said += "\n    " + line;
  return said.empty() ? "; it said nothing" : "; its last words:" + said;
}

}  // namespace breakwire::process
