// Statements that are carried out late, and a database that does not answer them.

#include "services/payments/late_commits.h"

#include <gtest/gtest.h>

#include "tests/services/mute_listener.h"

namespace breakwire::payments {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(LateCommitsTest, DoNotGoBeforeTheStatementsThatAreStillToTellThemOfTheirEnd) {
  services_test::MuteListener database;
  kit::Pool pool({.text = database.address(), .application = "test"}, [] { return true; },
                 {.connect_timeout = 60s, .statement_timeout = 60s});
  auto late = std::make_unique<LateCommits>(pool);
  auto began = Clock::now();
  late->add({.text = "select 1", .parameters = {}});
  late->add({.text = "select 2", .parameters = {}});
  late.reset();
  // No sooner than the last of them was given up. 5 ms: the delay is measured by another clock.
  EXPECT_GE(Clock::now() - began, LateCommits::delay + LateCommits::patience - 5ms);
}

}  // namespace
}  // namespace breakwire::payments
