// A database that accepts and never answers, and one that is not there: a bare listening socket stands in for
// it.

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "tests/services/mute_listener.h"
#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

Reply get_stock(const Service& inventory, Millis deadline) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + deadline);
  shop::v1::GetStockRequest request;
  request.set_sku("apple");
  shop::v1::GetStockResponse response;
  auto began = Clock::now();
  auto status =
      shop::v1::InventoryService::NewStub(inventory.channel)->GetStock(&context, request, &response);
  return {status, std::chrono::duration_cast<Millis>(Clock::now() - began)};
}

TEST(MuteDatabaseTest, AliveNotServingAndNeverHanging) {
  MuteListener database;
  Service inventory("inventory", {"--database=" + database.address()});
  ASSERT_TRUE(eventually([&] { return database.accept_one(); }));
  for (int i = 0; i < 20; ++i) {
    auto began = Clock::now();
    EXPECT_EQ(inventory.health("readiness"), "NOT_SERVING");
    EXPECT_EQ(inventory.health(""), "NOT_SERVING");
    EXPECT_EQ(inventory.health("liveness"), "SERVING");
    EXPECT_LT(Clock::now() - began, 200ms);
  }
  auto reply = get_stock(inventory, 2s);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(reply.took, 200ms);
}

TEST(MuteDatabaseTest, ProbesWaitOnOneConnectionInsteadOfOpeningOneEach) {
  MuteListener database;
  Service inventory("inventory", {"--database=" + database.address()});
  ASSERT_TRUE(eventually([&] { return database.accept_one(); }));
  auto first = Clock::now();
  ASSERT_TRUE(eventually([&] { return database.accept_one(); }, 3s))
      << "a dead connection was never replaced";
  EXPECT_GT(Clock::now() - first, 800ms);
}

TEST(MuteDatabaseTest, DoesNotHoldUpTheExit) {
  MuteListener database;
  Service inventory("inventory", {"--database=" + database.address()});
  inventory.process.signal(SIGTERM);
  EXPECT_EQ(inventory.process.wait(1s), (Ended{.exit_code = 0, .signal = {}}));
}

TEST(MuteDatabaseTest, AlwaysServingDoesNotCare) {
  Service inventory("inventory", {"--database=127.0.0.1:1", "--flaw=always-serving"});
  EXPECT_EQ(inventory.health("readiness"), "SERVING");
  EXPECT_EQ(get_stock(inventory, 1s).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(MuteDatabaseTest, LivenessNeedsDatabaseDiesWithIt) {
  Service inventory("inventory", {"--database=127.0.0.1:1", "--flaw=liveness-needs-database"});
  EXPECT_EQ(inventory.health("liveness"), "NOT_SERVING");
}

}  // namespace
}  // namespace breakwire::services_test
