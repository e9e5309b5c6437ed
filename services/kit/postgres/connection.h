#pragma once
// One connection to PostgreSQL on which nothing waits longer than it was told to. libpq's non-blocking calls
// only: a server that accepts and never answers, or stops in the middle, costs its caller the deadline and no
// more.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/kit/postgres/wake.h"

struct pg_conn;

namespace breakwire::kit {

/// Where the database is, checked but not yet dialled.
struct DatabaseAddress {
  /// HOST:PORT, or what libpq takes: "postgresql://user@host:port/name", "host=/run/postgresql port=5432".
  std::string text;
  std::string application;  ///< what the server calls the connection in pg_stat_activity
};

/// One sentence saying what is wrong with `text` as an address; nothing when it is fine.
std::optional<std::string> problem_with_database_address(const std::string& text);

struct Statement {
  std::string text;                     ///< one SQL statement, $1, $2 … for the parameters
  std::vector<std::string> parameters;  ///< as text
};

/// Values as text, NULL as "".
using Rows = std::vector<std::vector<std::string>>;

struct DatabaseError {
  enum class Kind : std::uint8_t {
    unreachable,  ///< no connection, or it broke; a statement under way may or may not have been carried out
    timed_out,    ///< no answer by the deadline; likewise
    woken,        ///< given up by our own side; likewise
    overloaded,   ///< not even begun: too much is waiting already
    refused,      ///< the server answered with an error; the statement had no effect
  };
  Kind kind = Kind::unreachable;
  std::string sqlstate;  ///< of `refused`
  std::string message;
};

using Answer = std::variant<Rows, DatabaseError>;

/// A connection is of one thread at a time. Destroying it closes it, whatever was going on; never waits.
class Connection {
 public:
  enum class Progress : std::uint8_t {
    done,     ///< connected, or the answer is there
    pending,  ///< the deadline came first; the work goes on with the next `advance`
    failed,   ///< the connection is of no more use; `error` says why
  };

  /// Begins to connect; `advance` goes on with it.
  explicit Connection(const DatabaseAddress& address);

  /// Begins a statement. Only when connected and nothing else is under way.
  void start(const Statement& statement);

  /// Goes on with what was begun until it is done, `deadline` has come, or `wake` is raised (which is
  /// `pending`).
  Progress advance(std::chrono::steady_clock::time_point deadline, const Wake& wake);

  /// The answer of the statement that is `done`.
  Answer take_answer();

  /// Whether it is still being made.
  bool connecting() const { return doing_ == Doing::connecting; }

  /// Why it `failed`.
  const std::string& error() const { return error_; }

  /// Whether the server has not hung up behind our back. Only between statements.
  bool still_open();

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  enum class Doing : std::uint8_t { connecting, nothing, executing };
  Progress fail();
  Progress advance_connecting(std::chrono::steady_clock::time_point deadline, const Wake& wake);
  Progress advance_executing(std::chrono::steady_clock::time_point deadline, const Wake& wake);

  std::unique_ptr<pg_conn, Close> connection_;
  Doing doing_ = Doing::connecting;
  short wanted_events_;  // poll()'s, for connecting
  Answer answer_;
  std::string error_;
};

}  // namespace breakwire::kit
