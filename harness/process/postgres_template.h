// PostgreSQL found on this machine, and a freshly initialised data directory to copy databases from: initdb
// takes most of a second, a copy a tenth. Touches the guard and the file system.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>

#include "harness/process/command.h"
#include "harness/process/guard.h"
#include "harness/process/temp_directory.h"

namespace breakwire::process {

/// There is no PostgreSQL here. `what()` is a sentence with the next move.
class PostgresMissing : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The directory with `initdb` and `postgres`: `chosen` if not empty, else $BREAKWIRE_POSTGRES_BIN, else the
/// first in PATH, else the newest of `debian`/*/bin (Debian keeps them out of PATH). Throws
/// PostgresMissing; a directory that was named and has no PostgreSQL is not passed over in silence.
std::string find_postgres(const std::string& chosen = {}, const std::string& debian = "/usr/lib/postgresql");

/// Where a database's directory can be: $TMPDIR, or /tmp when that is too long for a Unix socket's address
/// (107 bytes, unix(7)) or closed to the database's user. Throws std::runtime_error when neither will do.
std::string place_for_databases(const std::optional<User>& user);

/// One per run, shared by all scenarios; any number of threads may ask. Must outlive its copies' making only.
class PostgresTemplate {
 public:
  /// Does nothing yet: a run without databases needs no PostgreSQL. `bin_directory` as for find_postgres.
  explicit PostgresTemplate(Guard& guard, std::string bin_directory = {})
      : guard_(guard), chosen_(std::move(bin_directory)) {}

  /// Fills `target`, a directory that does not exist yet, with a data directory of its own, readable by its
  /// user only. The first call runs initdb; the others wait for it. Throws PostgresMissing, SpawnError, or
  /// std::runtime_error quoting what initdb said, also when `stop` ends it early.
  void copy_to(const std::string& target, const std::stop_token& stop = {});

  Guard& guard() { return guard_; }
  /// The program `postgres`. Throws PostgresMissing.
  std::string postgres_program();
  /// Whom databases run as; nothing: as ourselves.
  std::optional<User> user();

 private:
  const std::string& initialised(const std::stop_token& stop);

  Guard& guard_;
  const std::string chosen_;
  std::mutex mutex_;
  std::string bin_directory_;                 // found
  std::unique_ptr<TempDirectory> directory_;  // initialised, with the data in `data`
  std::string data_;
};

}  // namespace breakwire::process
