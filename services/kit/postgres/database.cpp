#include "services/kit/postgres/database.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;

constexpr const char* flag = "database";
constexpr auto as_long_as_it_takes = 1h;

DatabaseAddress address_for(const Options& options, const std::string& user) {
  return {.text = options.dependencies.at(flag), .application = options.name + user};
}

PoolOptions pool_options(Flaws flaws) {
  if (!flaws.has(Flaw::waits_for_database)) return {};
  return {.connect_timeout = as_long_as_it_takes, .statement_timeout = as_long_as_it_takes};
}

/// What a health check must not do: a connection and a query of its own, while its caller waits.
void ask(const DatabaseAddress& address) {
  const Wake never;
  const auto deadline = std::chrono::steady_clock::now() + as_long_as_it_takes;
  Connection connection(address);
  if (connection.advance(deadline, never) != Connection::Progress::done) return;
  connection.start({.text = "select 1", .parameters = {}});
  connection.advance(deadline, never);
}

}  // namespace

std::pair<const std::string, std::string> database_flag() {
  return {flag, "Where PostgreSQL is: HOST:PORT or postgresql://USER@HOST:PORT/NAME"};
}

std::optional<std::string> problem_with_database(const Options& options) {
  auto problem = problem_with_database_address(options.dependencies.at(flag));
  if (problem) problem->insert(0, "--database: ");
  return problem;
}

Database::Database(const Options& options, Health& health)
    : monitor_(address_for(options, "-monitor"), [&health](bool up) { health.set_able(up); }),
      pool_(
          address_for(options, ""),
          [this, flaws = options.flaws] {
            if (flaws.has(Flaw::health_blocks)) std::lock_guard wait_for_health(asking_);
            return flaws.has(Flaw::waits_for_database) || monitor_.up();
          },
          pool_options(options.flaws)) {
  if (options.flaws.has(Flaw::health_blocks))
    health.ask_first([this, address = address_for(options, "-health")] {
      std::lock_guard lock(asking_);
      ask(address);
    });
}

}  // namespace breakwire::kit
