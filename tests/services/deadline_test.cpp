// Deadlines: passed on, capped when absent, and over everywhere when they are over.

#include <gtest/gtest.h>

#include <thread>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

/// storefront -> orders -> a fake inventory and fake payments; `flaw` goes to orders.
struct Chain {
  explicit Chain(const std::string& flaw = "")
      : orders("orders",
               {"--inventory=" + inventory.address(), "--payments=" + payments.address(), "--flaw=" + flaw}),
        storefront("storefront", {"--orders=" + orders.address}) {}
  FakeDependency inventory;
  FakeDependency payments;
  Service orders;
  Service storefront;
};

// gRPC rounds a timeout up to three digits on every hop: 1 % at most.
Millis with_rounding(Millis time) { return time + time / 50 + 5ms; }

TEST(DeadlineTest, WhatRemainsIsPassedOnHopByHop) {
  Chain chain;
  ASSERT_TRUE(place_order(chain.storefront, "a", 600ms).status.ok());
  auto left = chain.inventory.seen().at(0).deadline_left;
  ASSERT_TRUE(left);
  EXPECT_LE(*left, with_rounding(600ms));
  EXPECT_GT(*left, 300ms);
}

TEST(DeadlineTest, ACallWithoutOneIsCapped) {
  Chain chain;
  chain.inventory.hold();
  auto reply = create_order(chain.orders, "a", std::nullopt);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_GT(reply.took, 900ms);
  EXPECT_LT(reply.took, 1500ms);
  EXPECT_LE(chain.inventory.seen().at(0).deadline_left, with_rounding(1s));
}

TEST(DeadlineTest, AHungDependencyEndsWithTheCallersDeadlineEverywhere) {
  Chain chain;
  chain.inventory.hold();
  auto reply = place_order(chain.storefront, "a", 300ms);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(reply.took, 450ms);
  EXPECT_TRUE(eventually([&] { return chain.inventory.seen().at(0).cancelled; }, 200ms));
}

TEST(DeadlineTest, ACancellationReachesTheLastHop) {
  Chain chain;
  chain.inventory.hold();
  grpc::ClientContext context;
  std::thread canceller([&] {
    eventually([&] { return chain.inventory.held() == 1; });
    context.TryCancel();
  });
  auto reply = place_order(chain.storefront, "a", 5s, "apple", &context);
  canceller.join();
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(eventually([&] { return chain.inventory.seen().at(0).cancelled; }, 500ms));
}

TEST(DeadlineTest, CallsThatHangDoNotSlowDownThoseThatNeedNothing) {
  Chain chain;
  chain.inventory.hold();
  std::vector<std::thread> shoppers;
  for (int i = 0; i < 64; ++i)
    shoppers.emplace_back(
        [&chain, i] { place_order(chain.storefront, "hung-" + std::to_string(i), 1500ms); });
  EXPECT_TRUE(eventually([&] { return chain.inventory.held() == 64; }, 1s));
  Millis slowest{0};
  for (int i = 0; i < 50; ++i) {
    auto reply = list_specials(chain.storefront, 500ms);
    EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
    slowest = std::max(slowest, reply.took);
  }
  EXPECT_LT(slowest, 100ms);
  chain.inventory.release();
  for (auto& shopper : shoppers) shopper.join();
}

TEST(DeadlineTest, NoDeadlineLeavesTheCallHangingBehindTheCaller) {
  Chain chain("no-deadline");
  chain.inventory.hold();
  auto reply = place_order(chain.storefront, "a", 200ms);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(reply.took, 400ms);
  EXPECT_EQ(chain.inventory.seen().at(0).deadline_left, std::nullopt);
  EXPECT_FALSE(eventually([&] { return chain.inventory.seen().at(0).cancelled; }, 300ms));
}

TEST(DeadlineTest, NoPropagationSendsAFreshDeadline) {
  Chain chain("no-propagation");
  chain.inventory.hold();
  auto reply = place_order(chain.storefront, "a", 200ms);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  auto left = chain.inventory.seen().at(0).deadline_left;
  ASSERT_TRUE(left);
  EXPECT_GT(*left, 4500ms);
  EXPECT_FALSE(eventually([&] { return chain.inventory.seen().at(0).cancelled; }, 300ms));
}

}  // namespace
}  // namespace breakwire::services_test
