// One connection to PostgreSQL on which nothing can hang: libpq's non-blocking calls, each with a deadline.
// Used to know that a database answers, to apply a schema, and to look into it. Touches one socket.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "base/duration.h"

struct pg_conn;

namespace breakwire::process {

/// The database did not do what was asked: refused, failed, or not in time. `what()` is a sentence.
class DatabaseError : public std::runtime_error {
 public:
  explicit DatabaseError(const std::string& sentence, std::optional<size_t> position = {})
      : std::runtime_error(sentence), position_(position) {}
  /// Where in the SQL text it is wrong, in characters from 1, when PostgreSQL says so.
  std::optional<size_t> position() const { return position_; }

 private:
  std::optional<size_t> position_;
};

using Row = std::vector<std::optional<std::string>>;  // nothing: NULL

class DatabaseConnection {
 public:
  /// `conninfo` as libpq takes it ("host=/tmp/x user=postgres dbname=shop"). One attempt; throws
  /// DatabaseError.
  DatabaseConnection(const std::string& conninfo, Instant deadline, const std::stop_token& stop = {});

  /// Runs all the statements in `sql`, as one transaction unless they say otherwise; returns the rows of the
  /// last one. Throws DatabaseError; after a missed deadline the connection is of no further use.
  std::vector<Row> query(const std::string& sql, Instant deadline, const std::stop_token& stop = {});

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Close> connection_;
};

}  // namespace breakwire::process
