// The pool of connections, and a database that does not answer.

#include <gtest/gtest.h>

#include <future>

#include "services/kit/postgres/pool.h"
#include "tests/services/mute_listener.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;

DatabaseError::Kind fails(Pool& pool, std::chrono::milliseconds deadline) {
  std::promise<DatabaseError::Kind> kind;
  pool.submit({.text = "select 1", .parameters = {}}, std::chrono::steady_clock::now() + deadline,
              [&](const Answer& answer) { kind.set_value(std::get<DatabaseError>(answer).kind); });
  return kind.get_future().get();
}

int connections_to(services_test::MuteListener& database) {
  int made = 0;
  while (database.accept_one()) ++made;
  return made;
}

TEST(PoolTest, StatementsThatTimeOutDoNotBesetASilentDatabaseWithConnections) {
  services_test::MuteListener database;
  Pool pool({.text = database.address(), .application = "test"}, [] { return true; },
            {.connections = 1, .connect_timeout = 60s});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fails(pool, 30ms), DatabaseError::Kind::timed_out);
  EXPECT_EQ(connections_to(database), 1);
}

TEST(PoolTest, AnAttemptToConnectIsGivenUpInTimeHoweverManyStatementsItWasFor) {
  services_test::MuteListener database;
  Pool pool({.text = database.address(), .application = "test"}, [] { return true; },
            {.connections = 1, .connect_timeout = 200ms});
  EXPECT_EQ(fails(pool, 30ms), DatabaseError::Kind::timed_out);
  EXPECT_EQ(fails(pool, 60s), DatabaseError::Kind::unreachable);
  EXPECT_EQ(connections_to(database), 1);
  EXPECT_EQ(fails(pool, 30ms), DatabaseError::Kind::timed_out);
  EXPECT_EQ(connections_to(database), 1) << "a new attempt";
}

}  // namespace
}  // namespace breakwire::kit
