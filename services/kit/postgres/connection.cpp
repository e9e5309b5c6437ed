#include "services/kit/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstdlib>

namespace breakwire::kit {
namespace {

using Clock = std::chrono::steady_clock;

bool is_conninfo(const std::string& text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://") ||
         text.find('=') != std::string::npos;
}

/// Splits HOST:PORT at its last colon; an empty port when there is none.
std::pair<std::string, std::string> host_and_port(const std::string& text) {
  auto colon = text.rfind(':');
  if (colon == std::string::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string one_line(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text)
    if (c == '\n' || c == '\t') c = ' ';
  return text.empty() ? "the connection broke" : text;
}

enum class Wait : std::uint8_t { ready, late, woken, broken };

Wait wait_for(int fd, short events, Clock::time_point deadline, const Wake& wake) {
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    std::array<pollfd, 2> polled{
        {{.fd = fd, .events = events, .revents = 0}, {.fd = wake.fd(), .events = POLLIN, .revents = 0}}};
    int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::max<long>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Wait::broken;
    if (polled[1].revents != 0) return Wait::woken;
    if (polled[0].revents != 0) return Wait::ready;
    if (Clock::now() >= deadline) return Wait::late;
  }
}

pg_conn* begin_to_connect(const DatabaseAddress& address) {
  // Later entries win over earlier ones: what the address says wins over our defaults.
  // client_connection_check_interval (PostgreSQL 14) ends the server's work for a client that has
  // gone.
  std::vector<const char*> keys{"sslmode", "gssencmode", "options"};
  std::vector<const char*> values{"disable", "disable", "-c client_connection_check_interval=100"};
  auto add = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  auto [host, port] = host_and_port(address.text);
  if (is_conninfo(address.text)) {
    add("dbname", address.text.c_str());
  } else {
    add("host", host.c_str());
    add("port", port.c_str());
    if (std::getenv("PGUSER") == nullptr) add("user", "postgres");
    if (std::getenv("PGDATABASE") == nullptr) add("dbname", "postgres");
  }
  add("application_name", address.application.c_str());
  add(nullptr, nullptr);
  return PQconnectStartParams(keys.data(), values.data(), /*expand_dbname=*/1);
}

}  // namespace

std::optional<std::string> problem_with_database_address(const std::string& text) {
  if (is_conninfo(text)) {
    char* error = nullptr;
    PQconninfoOption* options = PQconninfoParse(text.c_str(), &error);
    if (options != nullptr) {
      PQconninfoFree(options);
      return std::nullopt;
    }
    std::string problem = one_line(error);
    PQfreemem(error);
    return problem;
  }
  auto [host, port] = host_and_port(text);
  bool number =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (host.empty() || !number || std::stoi(port) < 1 || std::stoi(port) > 65535)
    return "'" + text + "' is neither HOST:PORT nor postgresql://…";
  return std::nullopt;
}

void Connection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(const DatabaseAddress& address)
    : connection_(begin_to_connect(address)), wanted_events_(POLLOUT) {}

Connection::Progress Connection::fail() {
  error_ = one_line(PQerrorMessage(connection_.get()));
  return Progress::failed;
}

void Connection::start(const Statement& statement) {
  assert(doing_ == Doing::nothing);
  std::vector<const char*> values;
  for (const auto& parameter : statement.parameters) values.push_back(parameter.c_str());
  doing_ = Doing::executing;
  answer_ = Rows{};
  // A failure to queue shows in advance().
  PQsendQueryParams(connection_.get(), statement.text.c_str(), static_cast<int>(values.size()), nullptr,
                    values.data(), nullptr, nullptr, /*resultFormat=*/0);
}

Connection::Progress Connection::advance(Clock::time_point deadline, const Wake& wake) {
  if (doing_ == Doing::connecting) return advance_connecting(deadline, wake);
  if (doing_ == Doing::executing) return advance_executing(deadline, wake);
  return Progress::done;
}

Connection::Progress Connection::advance_connecting(Clock::time_point deadline, const Wake& wake) {
  for (;;) {
    if (connection_ == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) return fail();
    switch (wait_for(PQsocket(connection_.get()), wanted_events_, deadline, wake)) {
      case Wait::late:
      case Wait::woken:
        return Progress::pending;
      case Wait::broken:
        return fail();
      case Wait::ready:
        break;
    }
    switch (PQconnectPoll(connection_.get())) {
      case PGRES_POLLING_READING:
        wanted_events_ = POLLIN;
        break;
      case PGRES_POLLING_WRITING:
        wanted_events_ = POLLOUT;
        break;
      case PGRES_POLLING_OK:
        PQsetnonblocking(connection_.get(), 1);
        doing_ = Doing::nothing;
        return Progress::done;
      default:
        return fail();
    }
  }
}

Connection::Progress Connection::advance_executing(Clock::time_point deadline, const Wake& wake) {
  for (;;) {
    int unsent = PQflush(connection_.get());
    if (unsent < 0 || PQconsumeInput(connection_.get()) == 0) return fail();
    while (PQisBusy(connection_.get()) == 0) {
      std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(connection_.get()), &PQclear);
      if (result == nullptr) {
        if (PQstatus(connection_.get()) == CONNECTION_BAD) return fail();
        doing_ = Doing::nothing;
        return Progress::done;
      }
      switch (PQresultStatus(result.get())) {
        case PGRES_COMMAND_OK:
          break;
        case PGRES_TUPLES_OK: {
          Rows rows;
          for (int row = 0; row < PQntuples(result.get()); ++row) {
            auto& values = rows.emplace_back();
            for (int column = 0; column < PQnfields(result.get()); ++column)
              values.emplace_back(PQgetvalue(result.get(), row, column),
                                  static_cast<size_t>(PQgetlength(result.get(), row, column)));
          }
          answer_ = std::move(rows);
          break;
        }
        default: {
          const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
          if (state == nullptr) return fail();  // libpq's own error: the connection is gone
          answer_ =
              DatabaseError{.kind = DatabaseError::Kind::refused,
                            .sqlstate = state,
                            .message = one_line(PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY))};
        }
      }
    }
    short events = POLLIN;
    if (unsent > 0) events |= POLLOUT;
    switch (wait_for(PQsocket(connection_.get()), events, deadline, wake)) {
      case Wait::late:
      case Wait::woken:
        return Progress::pending;
      case Wait::broken:
        return fail();
      case Wait::ready:
        break;
    }
  }
}

Answer Connection::take_answer() { return std::exchange(answer_, Rows{}); }

bool Connection::still_open() {
  if (doing_ != Doing::nothing) return false;
  // An idle server has nothing to say but goodbye.
  pollfd readable{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, 0) == 0;
}

}  // namespace breakwire::kit
