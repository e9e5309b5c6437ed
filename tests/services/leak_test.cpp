// What a call that failed leaves behind in the process that made it: nothing, unless it is leaky.

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

struct Held {
  long threads = 0, descriptors = 0;
};

Held held_by(const Service& service) {
  const auto count = [&](const char* what) {
    const auto folder = "/proc/" + std::to_string(service.process.pid()) + "/" + what;
    return static_cast<long>(std::distance(std::filesystem::directory_iterator(folder), {}));
  };
  return {count("task"), count("fd")};
}

/// What orders holds more after 10 calls that hung on the inventory than before.
Held taken_by_ten_failures(const std::string& flaw) {
  FakeDependency inventory, payments;
  Service orders("orders", {"--inventory=" + inventory.address(), "--payments=" + payments.address(),
                            "--breaker-calls=1000", "--flaw=" + flaw});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(create_order(orders, "warm-" + std::to_string(i)).status.ok());
  const Held before = held_by(orders);
  inventory.hold();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(create_order(orders, "hung-" + std::to_string(i), 50ms).status.error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  inventory.release();
  EXPECT_TRUE(eventually([&] { return inventory.held() == 0; }));
  const Held after = held_by(orders);
  return {after.threads - before.threads, after.descriptors - before.descriptors};
}

TEST(LeakTest, CallsThatHangTakeNothingForEver) {
  const Held taken = taken_by_ten_failures("");
  EXPECT_LE(taken.threads, 2);
  EXPECT_LE(taken.descriptors, 2);
}

TEST(LeakTest, LeakyLeavesAThreadAndADescriptorForEachFailure) {
  const Held taken = taken_by_ten_failures("leaky");
  // The last one's end may come to orders a moment after the caller's deadline has.
  EXPECT_GE(taken.threads, 9);
  EXPECT_GE(taken.descriptors, 9);
}

}  // namespace
}  // namespace breakwire::services_test
