#include "harness/process/database_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace breakwire::process {
namespace {

constexpr Duration stop_noticed_within = 20ms;

std::string trimmed(const char* text) {
  std::string result = text != nullptr ? text : "";
  while (!result.empty() && (result.back() == '\n' || result.back() == ' ')) result.pop_back();
  return result;
}

/// Returns when the socket is ready for one of `events`; throws at the deadline.
void wait_for_socket(PGconn* connection, short events, Instant deadline, const std::stop_token& stop) {
  while (true) {
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (stop.stop_requested()) throw DatabaseError("the database was given up on: the run is ending");
    if (left <= 0ns) throw DatabaseError("the database did not answer in time");
    pollfd socket{.fd = ::PQsocket(connection), .events = events};
    const auto most = std::min<Duration>(left, stop_noticed_within);
    if (::poll(&socket, 1, static_cast<int>(most / 1ms + 1)) > 0) return;
  }
}

struct Clear {
  void operator()(PGresult* result) const { ::PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, Clear>;

std::optional<size_t> position_of(const PGresult* result) {
  const char* text = ::PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
  size_t position = 0;
  if (text == nullptr || std::from_chars(text, text + std::strlen(text), position).ec != std::errc{})
    return {};
  return position;
}

std::vector<Row> rows_of(const PGresult* result) {
  std::vector<Row> rows(static_cast<size_t>(::PQntuples(result)));
  for (int row = 0; row < ::PQntuples(result); ++row)
    for (int column = 0; column < ::PQnfields(result); ++column) {
      auto& cell = rows[static_cast<size_t>(row)].emplace_back();
      if (::PQgetisnull(result, row, column) == 0) cell = ::PQgetvalue(result, row, column);
    }
  return rows;
}

}  // namespace

void DatabaseConnection::Close::operator()(pg_conn* connection) const { ::PQfinish(connection); }

DatabaseConnection::DatabaseConnection(const std::string& conninfo, Instant deadline,
                                       const std::stop_token& stop)
    : connection_(::PQconnectStart(conninfo.c_str())) {
  PGconn* connection = connection_.get();
  if (connection == nullptr) throw std::bad_alloc();
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;  // as PQconnectPoll's manual has it
  while (::PQstatus(connection) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    wait_for_socket(connection, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, stop);
    next = ::PQconnectPoll(connection);
  }
  if (::PQstatus(connection) != CONNECTION_OK)
    throw DatabaseError("no connection to the database: " + trimmed(::PQerrorMessage(connection)));
  ::PQsetnonblocking(connection, 1);
  ::PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
}

std::vector<Row> DatabaseConnection::query(const std::string& sql, Instant deadline,
                                           const std::stop_token& stop) {
  PGconn* connection = connection_.get();
  const auto broken = [&] {
    return DatabaseError("the database broke off: " + trimmed(::PQerrorMessage(connection)));
  };
  if (::PQsendQuery(connection, sql.c_str()) == 0) throw broken();
  while (const int unsent = ::PQflush(connection)) {
    if (unsent < 0) throw broken();
    // While it cannot take more it may be waiting for us to read.
    wait_for_socket(connection, POLLIN | POLLOUT, deadline, stop);
    if (::PQconsumeInput(connection) == 0) throw broken();
  }
  std::vector<Row> rows;
  std::optional<DatabaseError> error;
  while (true) {
    while (::PQisBusy(connection) != 0) {
      wait_for_socket(connection, POLLIN, deadline, stop);
      if (::PQconsumeInput(connection) == 0) throw broken();
    }
    const ResultPointer result(::PQgetResult(connection));
    if (!result) break;
    const ExecStatusType status = ::PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
      rows = rows_of(result.get());
    else if (!error)
      error.emplace(trimmed(::PQresultErrorMessage(result.get())), position_of(result.get()));
  }
  if (error) throw *error;
  return rows;
}

}  // namespace breakwire::process
