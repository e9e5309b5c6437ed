// SIGTERM: say so, finish what was accepted, leave with 0 in time.

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

const Ended fine{.exit_code = 0, .signal = {}};

/// Orders with one call in flight, held by the fake inventory.
struct Busy {
  explicit Busy(std::vector<std::string> flags = {}, Millis deadline = 3s)
      : orders("orders", with_inventory(std::move(flags))),
        shopper([this, deadline] { reply = create_order(orders, "in-flight", deadline); }) {
    EXPECT_TRUE(eventually([this] { return inventory.held() == 1; }));
  }
  ~Busy() { join(); }
  void join() {
    if (shopper.joinable()) shopper.join();
  }
  std::vector<std::string> with_inventory(std::vector<std::string> flags) {
    inventory.hold();
    flags.push_back("--inventory=" + inventory.address());
    flags.push_back("--payments=" + payments.address());
    return flags;
  }
  FakeDependency inventory;
  FakeDependency payments;
  Service orders;
  Reply reply;
  std::thread shopper;
};

TEST(ShutdownTest, ACallInFlightIsFinishedAndTheProcessLeavesWithZero) {
  Busy busy;
  busy.orders.process.signal(SIGTERM);
  EXPECT_TRUE(busy.orders.becomes("readiness", "NOT_SERVING", 200ms));
  EXPECT_EQ(busy.orders.process.wait(300ms), std::nullopt) << "left with a call in flight";
  busy.inventory.release();
  busy.join();
  EXPECT_TRUE(busy.reply.status.ok()) << busy.reply.status.error_message();
  EXPECT_EQ(busy.orders.process.wait(2s), fine);
}

TEST(ShutdownTest, ReadinessSaysSoAtOnceWhileCallsAreStillTakenAndLivenessStands) {
  Service storefront("storefront", {"--orders=127.0.0.1:1", "--lame-duck=400ms"});
  ASSERT_EQ(storefront.health(""), "SERVING");
  storefront.process.signal(SIGTERM);
  EXPECT_TRUE(storefront.becomes("readiness", "NOT_SERVING", 100ms));
  EXPECT_EQ(storefront.health(""), "NOT_SERVING");
  EXPECT_EQ(storefront.health("liveness"), "SERVING");
  EXPECT_TRUE(list_specials(storefront).status.ok());
  EXPECT_EQ(storefront.process.wait(3s), fine);
}

TEST(ShutdownTest, ASecondSignalChangesNothing) {
  Busy busy;
  busy.orders.process.signal(SIGTERM);
  ASSERT_TRUE(busy.orders.becomes("readiness", "NOT_SERVING", 200ms));
  busy.orders.process.signal(SIGTERM);
  busy.orders.process.signal(SIGINT);
  busy.inventory.release();
  busy.join();
  EXPECT_TRUE(busy.reply.status.ok());
  EXPECT_EQ(busy.orders.process.wait(2s), fine);
}

TEST(ShutdownTest, AnOpenWatchHearsOfItAndDoesNotHoldTheDrain) {
  Service storefront("storefront", {"--orders=127.0.0.1:1"});
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 10s);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("readiness");
  auto watch = grpc::health::v1::Health::NewStub(storefront.channel)->Watch(&context, request);
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  storefront.process.signal(SIGTERM);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(storefront.process.wait(2s), fine);
}

TEST(ShutdownTest, TheGraceIsNotExceededAndCallsCutOffAreNotCalledSuccess) {
  Busy busy({"--grace=400ms", "--lame-duck=50ms", "--flaw=no-deadline"});
  auto began = Clock::now();
  busy.orders.process.signal(SIGTERM);
  EXPECT_EQ(busy.orders.process.wait(2s), (Ended{.exit_code = 1, .signal = {}}));
  EXPECT_LT(Clock::now() - began, 1s);
  busy.join();
  EXPECT_EQ(busy.reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(ShutdownTest, NoDrainLosesTheCall) {
  Busy busy({"--flaw=no-drain"});
  busy.orders.process.signal(SIGTERM);
  EXPECT_EQ(busy.orders.process.wait(500ms), (Ended{.exit_code = {}, .signal = SIGTERM}));
  busy.join();
  EXPECT_EQ(busy.reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(ShutdownTest, AlwaysServingSaysSoToTheEnd) {
  Service storefront("storefront", {"--orders=127.0.0.1:1", "--lame-duck=400ms", "--flaw=always-serving"});
  storefront.process.signal(SIGTERM);
  EXPECT_FALSE(storefront.becomes("readiness", "NOT_SERVING", 300ms));
  EXPECT_EQ(storefront.process.wait(3s), fine);
}

}  // namespace
}  // namespace breakwire::services_test
