// The breaker in orders towards its inventory, as its caller and its dependency see it.

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

const grpc::Status unavailable(grpc::StatusCode::UNAVAILABLE, "busy");

/// Orders whose breaker opens after three failures in a row. Its window and open period are for tests: too
/// long to be over by chance, unless said otherwise.
struct Orders {
  explicit Orders(const std::string& flaw = "", const std::string& open = "60s")
      : service("orders", {"--inventory=" + inventory.address(), "--payments=" + payments.address(),
                           "--flaw=no-retry," + flaw, "--breaker-calls=3", "--breaker-window=60s",
                           "--breaker-open=" + open}) {}

  void open() {
    inventory.answer_with({unavailable, unavailable, unavailable});
    for (int i = 0; i < 3; ++i)
      ASSERT_EQ(create_order(service, "x").status.error_message(), "busy") << "call " << i;
  }
  /// Whether a call was shed; else what it ended with is of no interest. One that is let through and held is
  /// held to its deadline.
  bool sheds(Millis deadline = 5s) const {
    return create_order(service, "x", deadline).status.error_message() == "the circuit to inventory is open";
  }
  struct Probe {
    std::unique_ptr<grpc::ClientContext> context;
    std::future<Reply> reply;
  };
  /// Calls until one is let through, which the inventory holds.
  Probe hold_a_probe(Millis deadline) {
    inventory.hold();
    const auto before = inventory.seen().size();
    Probe probe;
    EXPECT_TRUE(eventually([&] {
      const bool over =
          !probe.reply.valid() || probe.reply.wait_for(0s) == std::future_status::ready;  // it was shed
      if (inventory.seen().size() > before) return true;
      if (over) {
        probe.context = std::make_unique<grpc::ClientContext>();
        probe.reply = std::async(std::launch::async, [this, deadline, context = probe.context.get()] {
          return create_order(service, "probe", deadline, context);
        });
      }
      return false;
    }));
    return probe;
  }
  /// The same; and that one ends by its deadline.
  void lose_a_probe() {
    auto probe = hold_a_probe(500ms);
    EXPECT_EQ(probe.reply.get().status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    ASSERT_TRUE(eventually([&] { return inventory.held() == 0; })) << "given up by orders as well";
    inventory.release();
  }

  FakeDependency inventory;
  FakeDependency payments;
  Service service;
};

std::optional<std::string> pushback(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  auto found = trailers.find("grpc-retry-pushback-ms");
  if (found == trailers.end()) return std::nullopt;
  return std::string(found->second.data(), found->second.size());
}

TEST(BreakerTest, ShedsAtOnceAndTellsNobodyToTryAgain) {
  Orders orders;
  orders.open();
  grpc::ClientContext context;
  auto reply = create_order(orders.service, "a", 2s, &context);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reply.status.error_message(), "the circuit to inventory is open");
  EXPECT_EQ(reply.status.error_details(), "");
  EXPECT_EQ(pushback(context), "-1");
  EXPECT_LT(reply.took, 1s);
  EXPECT_EQ(orders.inventory.seen().size(), 3U) << "the dependency is left alone";
  EXPECT_TRUE(eventually([&] {
    return orders.service.log_lines({R"("side":"client")", "circuit to inventory is open"}).size() == 1;
  }));
}

TEST(BreakerTest, RefusalsDoNotOpenIt) {
  Orders orders;
  orders.inventory.answer_with(
      std::vector<grpc::Status>(6, {grpc::StatusCode::FAILED_PRECONDITION, "sold out"}));
  for (int i = 0; i < 6; ++i) create_order(orders.service, "x");
  EXPECT_TRUE(create_order(orders.service, "x").status.ok());
}

TEST(BreakerTest, OneProbeAtATimeAndItsSuccessCloses) {
  Orders orders("", "50ms");
  orders.open();
  auto probe = orders.hold_a_probe(60s);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(orders.sheds());
  EXPECT_EQ(orders.inventory.held(), 1U);
  orders.inventory.release();
  EXPECT_TRUE(probe.reply.get().status.ok());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(create_order(orders.service, "x").status.ok());
}

TEST(BreakerTest, AHungDependencyOpensItAndAHungProbeIsForgotten) {
  Orders orders("", "50ms");
  orders.inventory.hold();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(create_order(orders.service, "x", 300ms).status.error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  EXPECT_TRUE(eventually([&] { return orders.sheds(300ms); }));
  orders.lose_a_probe();
  EXPECT_TRUE(eventually([&] { return create_order(orders.service, "x").status.ok(); }));
}

TEST(BreakerTest, AProbeWhoseCallerWentAwayGivesItsSlotBack) {
  Orders orders("", "50ms");
  orders.open();
  auto probe = orders.hold_a_probe(60s);
  probe.context->TryCancel();
  EXPECT_EQ(probe.reply.get().status.error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_TRUE(eventually([&] { return orders.inventory.held() == 0; }));
  orders.inventory.release();
  EXPECT_TRUE(eventually([&] { return create_order(orders.service, "x").status.ok(); }));
}

TEST(BreakerTest, StuckHalfOpenNeverClosesAfterAProbeWasLost) {
  Orders orders("stuck-half-open", "50ms");
  orders.open();
  orders.lose_a_probe();
  EXPECT_FALSE(eventually([&] { return !orders.sheds(); }, 300ms));
}

TEST(BreakerTest, NoBreakerGoesOnAsking) {
  Orders orders("no-breaker");
  orders.inventory.answer_with(std::vector<grpc::Status>(20, unavailable));
  for (int i = 0; i < 20; ++i) create_order(orders.service, "x");
  EXPECT_EQ(orders.inventory.seen().size(), 20U);
}

TEST(BreakerTest, EachDependencyHasACircuitOfItsOwn) {
  Orders orders;
  orders.payments.answer_with({unavailable, unavailable, unavailable});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(create_order(orders.service, "x").status.error_message(), "busy");
  EXPECT_EQ(create_order(orders.service, "x").status.error_message(), "the circuit to payments is open");
  EXPECT_EQ(orders.payments.seen().size(), 3U);
  EXPECT_EQ(orders.inventory.seen().size(), 4U) << "asked first, and well";
}

TEST(BreakerTest, WhatNeedsNoInventoryIsServed) {
  Orders orders;
  orders.open();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 2s);
  shop::v1::EstimateDeliveryRequest request;
  request.set_quantity(1);
  shop::v1::EstimateDeliveryResponse response;
  auto stub = shop::v1::OrdersService::NewStub(orders.service.channel);
  EXPECT_TRUE(stub->EstimateDelivery(&context, request, &response).ok());
}

}  // namespace
}  // namespace breakwire::services_test
