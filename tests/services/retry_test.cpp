// Retries: a little, on UNAVAILABLE, and on one hop only.

#include <gtest/gtest.h>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

const grpc::Status unavailable(grpc::StatusCode::UNAVAILABLE, "busy");
const grpc::Status sold_out(grpc::StatusCode::FAILED_PRECONDITION, "sold out");

struct Orders {
  explicit Orders(const std::string& flaw = "")
      : service("orders", {"--inventory=" + inventory.address(), "--payments=" + payments.address(),
                           "--flaw=" + flaw}) {}
  FakeDependency inventory;
  FakeDependency payments;
  Service service;
};

TEST(RetryTest, TwoUnavailableAnswersAreOvercome) {
  Orders orders;
  orders.inventory.answer_with({unavailable, unavailable});
  EXPECT_TRUE(create_order(orders.service, "a").status.ok());
  auto seen = orders.inventory.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].metadata.count("grpc-previous-rpc-attempts"), 0U);
  EXPECT_EQ(seen[2].metadata.find("grpc-previous-rpc-attempts")->second, "2");
  EXPECT_LE(seen[2].deadline_left, seen[0].deadline_left);
}

TEST(RetryTest, AThirdOneIsFinal) {
  Orders orders;
  orders.inventory.answer_with({unavailable, unavailable, unavailable, unavailable});
  EXPECT_EQ(create_order(orders.service, "a").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(orders.inventory.seen().size(), 3U);
}

TEST(RetryTest, WhatIsFinalIsNotRetried) {
  for (auto code :
       {grpc::StatusCode::FAILED_PRECONDITION, grpc::StatusCode::NOT_FOUND, grpc::StatusCode::INTERNAL,
        grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::DEADLINE_EXCEEDED}) {
    Orders orders;
    orders.inventory.answer_with({{code, "no"}});
    EXPECT_EQ(create_order(orders.service, "a").status.error_code(), code);
    EXPECT_EQ(orders.inventory.seen().size(), 1U);
  }
}

TEST(RetryTest, RetriesOnTwoHopsDoNotMultiply) {
  Orders orders;
  Service storefront("storefront", {"--orders=" + orders.service.address});
  orders.inventory.answer_with(std::vector<grpc::Status>(20, unavailable));
  EXPECT_EQ(place_order(storefront, "a").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(orders.inventory.seen().size(), 3U);
}

TEST(RetryTest, NoRetryGivesUpAtOnce) {
  Orders orders("no-retry");
  orders.inventory.answer_with({unavailable});
  EXPECT_EQ(create_order(orders.service, "a").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(orders.inventory.seen().size(), 1U);
}

TEST(RetryTest, RetryEverythingRetriesWhatIsFinal) {
  Orders orders("retry-everything");
  orders.inventory.answer_with({sold_out, sold_out, sold_out, sold_out});
  EXPECT_EQ(create_order(orders.service, "a").status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(orders.inventory.seen().size(), 3U);
}

/// The pauses between the attempts an inventory saw.
std::vector<Millis> pauses(const std::vector<Seen>& seen) {
  std::vector<Millis> result;
  for (std::size_t i = 1; i < seen.size(); ++i)
    result.push_back(std::chrono::duration_cast<Millis>(seen[i].at - seen[i - 1].at));
  return result;
}

// A busy machine makes pauses longer, never shorter.
TEST(RetryTest, RetriesBackOffExponentially) {
  Orders orders;
  orders.inventory.answer_with({unavailable, unavailable});
  ASSERT_TRUE(create_order(orders.service, "a").status.ok());
  auto paused = pauses(orders.inventory.seen());
  ASSERT_EQ(paused.size(), 2U);
  EXPECT_GE(paused[0], 39ms);
  EXPECT_GE(paused[1], 79ms);
}

TEST(RetryTest, TheSecondPauseHasJitter) {
  Orders orders;
  Millis shortest = 1s;
  Millis longest{0};
  for (int call = 0; call < 12; ++call) {
    orders.inventory.answer_with({unavailable, unavailable});
    ASSERT_TRUE(create_order(orders.service, std::to_string(call)).status.ok());
    auto paused = pauses(orders.inventory.seen()).back();
    shortest = std::min(shortest, paused);
    longest = std::max(longest, paused);
  }
  // Twelve draws from 80 to 120 ms; all within 5 ms of each other once in a thousand million times.
  EXPECT_GT(longest - shortest, 5ms);
}

TEST(RetryTest, NoBackoffRetriesAtOnce) {
  Orders orders("no-backoff");
  Millis shortest = 1s;
  for (int call = 0; call < 5; ++call) {
    orders.inventory.answer_with({unavailable, unavailable});
    ASSERT_TRUE(create_order(orders.service, std::to_string(call)).status.ok());
    shortest = std::min(shortest, pauses(orders.inventory.seen()).back());
  }
  EXPECT_LT(shortest, 20ms);
  EXPECT_EQ(orders.inventory.seen().size(), 15U);
}

TEST(RetryTest, ARetryStormMultipliesOverHops) {
  Orders orders("retry-storm");
  Service storefront("storefront", {"--orders=" + orders.service.address, "--flaw=retry-storm"});
  orders.inventory.answer_with(std::vector<grpc::Status>(30, unavailable));
  EXPECT_EQ(place_order(storefront, "a").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(orders.inventory.seen().size(), 25U);
}

TEST(RetryTest, ADependencyThatCameBackIsFoundAgainSoon) {
  const std::vector<std::string> nobody_behind{"--inventory=127.0.0.1:1", "--payments=127.0.0.1:1"};
  auto orders = std::make_unique<Service>("orders", nobody_behind);
  Service storefront("storefront", {"--orders=" + orders->address});
  auto address = orders->address;
  // Any answer but UNAVAILABLE for want of a connection: orders checks the quantity before it needs its own
  // dependency.
  auto reached = [&] { return place_order(storefront, std::string(200, 'x')).status.error_code(); };
  ASSERT_EQ(reached(), grpc::StatusCode::INVALID_ARGUMENT);
  orders.reset();
  ASSERT_TRUE(eventually([&] { return reached() == grpc::StatusCode::UNAVAILABLE; }, 1s));
  Child again({binary("orders"), "--listen=" + address, "--inventory=127.0.0.1:1", "--payments=127.0.0.1:1"});
  EXPECT_TRUE(eventually([&] { return reached() == grpc::StatusCode::INVALID_ARGUMENT; }, 1s));
}

}  // namespace
}  // namespace breakwire::services_test
