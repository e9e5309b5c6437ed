// Orders and payments: reserve, charge, and give back what cannot be paid for. Payments is a fake here that
// answers as told; what it does with PostgreSQL is in ledger_test.cpp.

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

const grpc::Status unavailable(grpc::StatusCode::UNAVAILABLE, "busy");

struct Orders {
  FakeDependency inventory;
  FakeDependency payments;
  Service service{"orders", {"--inventory=" + inventory.address(), "--payments=" + payments.address()}};

  /// The methods that were called, in order; those of inventory.
  std::vector<std::string> reservations() const { return methods(inventory); }
  std::vector<std::string> charges() const { return methods(payments); }

 private:
  static std::vector<std::string> methods(const FakeDependency& dependency) {
    std::vector<std::string> names;
    for (const auto& seen : dependency.seen()) names.push_back(seen.method);
    return names;
  }
};

using Methods = std::vector<std::string>;

TEST(PlacementTest, ReservesThenCharges) {
  Orders orders;
  EXPECT_TRUE(create_order(orders.service, "a").status.ok());
  EXPECT_EQ(orders.reservations(), Methods{"Reserve"});
  EXPECT_EQ(orders.charges(), Methods{"Charge"});
  EXPECT_LE(orders.payments.seen().at(0).deadline_left, 2040ms);
}

TEST(PlacementTest, WhatIsNotReservedIsNotCharged) {
  Orders orders;
  orders.inventory.answer_with({{grpc::StatusCode::FAILED_PRECONDITION, "sold out"}});
  EXPECT_EQ(create_order(orders.service, "a").status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(orders.charges(), Methods{});
}

TEST(PlacementTest, ADefiniteRefusalIsAnsweredOnlyWhenTheGoodsAreReleased) {
  for (auto code : {grpc::StatusCode::FAILED_PRECONDITION, grpc::StatusCode::ALREADY_EXISTS,
                    grpc::StatusCode::INVALID_ARGUMENT}) {
    Orders orders;
    orders.payments.answer_with({{code, "cannot pay"}});
    auto reply = create_order(orders.service, "a");
    EXPECT_EQ(reply.status.error_code(), code);
    EXPECT_EQ(reply.status.error_message(), "cannot pay");
    EXPECT_EQ(orders.reservations(), (Methods{"Reserve", "Release"}));
    EXPECT_EQ(orders.charges(), Methods{"Charge"});
  }
}

TEST(PlacementTest, ARefusalWhoseGoodsCouldNotBeReleasedIsNotCalledDefinite) {
  Orders orders;
  orders.inventory.answer_with({grpc::Status::OK, unavailable, unavailable, unavailable});
  orders.payments.answer_with({{grpc::StatusCode::FAILED_PRECONDITION, "cannot pay"}});
  EXPECT_EQ(create_order(orders.service, "a").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(orders.reservations(), (Methods{"Reserve", "Release", "Release", "Release"}));

  Orders strange;
  strange.inventory.answer_with({grpc::Status::OK, {grpc::StatusCode::NOT_FOUND, "no such order"}});
  strange.payments.answer_with({{grpc::StatusCode::FAILED_PRECONDITION, "cannot pay"}});
  EXPECT_EQ(create_order(strange.service, "a").status.error_code(), grpc::StatusCode::INTERNAL);
}

TEST(PlacementTest, WhatMayHaveBeenChargedIsNotReleased) {
  for (auto code : {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::DEADLINE_EXCEEDED,
                    grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::INTERNAL}) {
    Orders orders;
    orders.payments.answer_with(std::vector<grpc::Status>(3, {code, "who knows"}));
    EXPECT_EQ(create_order(orders.service, "a").status.error_code(), code);
    EXPECT_EQ(orders.reservations(), Methods{"Reserve"});
  }
}

TEST(PlacementTest, TheDeadlineEndsAHungCharge) {
  Orders orders;
  orders.payments.hold();
  auto reply = create_order(orders.service, "a", 300ms);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(reply.took, 2s);
  EXPECT_TRUE(eventually([&] { return orders.payments.seen().at(0).cancelled; }));
}

/// A watch of an order through storefront and orders, read on a thread of its own.
class Watch {
 public:
  Watch(const Service& storefront, const std::string& order_id, std::optional<Millis> deadline = 10s) {
    if (deadline) context_.set_deadline(std::chrono::system_clock::now() + *deadline);
    shop::v1::WatchOrderRequest request;
    request.set_order_id(order_id);
    stream_ = shop::v1::StorefrontService::NewStub(storefront.channel)->WatchOrder(&context_, request);
    reader_ = std::thread([this] {
      shop::v1::WatchOrderResponse response;
      while (stream_->Read(&response)) {
        std::lock_guard lock(mutex_);
        states_.push_back(response.state());
      }
      auto status = stream_->Finish();
      std::lock_guard lock(mutex_);
      status_ = status;
    });
  }
  ~Watch() {
    cancel();
    reader_.join();
  }
  void cancel() { context_.TryCancel(); }
  std::vector<shop::v1::OrderState> states() const {
    std::lock_guard lock(mutex_);
    return states_;
  }
  /// How it ended; nothing when it has not within the time.
  std::optional<grpc::StatusCode> ends(Millis within = 5s) const {
    eventually([this] { return status().has_value(); }, within);
    auto known = status();
    return known ? std::optional(known->error_code()) : std::nullopt;
  }

 private:
  std::optional<grpc::Status> status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<shop::v1::WatchOrderResponse>> stream_;
  mutable std::mutex mutex_;
  std::vector<shop::v1::OrderState> states_;
  std::optional<grpc::Status> status_;
  std::thread reader_;
};

using States = std::vector<shop::v1::OrderState>;
const grpc::Status unknown(grpc::StatusCode::NOT_FOUND, "no such order");

struct Watched : Orders {
  Service storefront{"storefront", {"--orders=" + service.address}};
  /// Nothing is known of the order, however often it is asked for.
  void settle_nothing() { inventory.answer_with(std::vector<grpc::Status>(1000, unknown)); }
};

TEST(WatchTest, TellsEveryChangeOnceAndEndsWhenTheOrderIsPaid) {
  Watched shop;
  shop.inventory.answer_with({unknown, unknown});
  shop.payments.answer_with({unknown, unknown});
  Watch watch(shop.storefront, "a");
  EXPECT_EQ(watch.ends(), grpc::StatusCode::OK);
  EXPECT_EQ(watch.states(), (States{shop::v1::ORDER_STATE_AWAITED, shop::v1::ORDER_STATE_RESERVED,
                                    shop::v1::ORDER_STATE_PAID}));
}

TEST(WatchTest, EndsWhenTheOrderIsRefused) {
  Watched shop;
  shop.inventory.answer_with({{grpc::StatusCode::FAILED_PRECONDITION, "released"}});
  Watch watch(shop.storefront, "a");
  EXPECT_EQ(watch.ends(), grpc::StatusCode::OK);
  EXPECT_EQ(watch.states(), States{shop::v1::ORDER_STATE_REFUSED});
}

TEST(WatchTest, EndsByItsDeadlineAndIsCappedWithoutOne) {
  Watched shop;
  shop.settle_nothing();
  auto began = Clock::now();
  Watch hurried(shop.storefront, "a", 300ms);
  Watch patient(shop.storefront, "a", std::nullopt);
  EXPECT_EQ(hurried.ends(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(patient.ends(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_GT(Clock::now() - began, 900ms);
}

TEST(WatchTest, ACancellationReachesTheLastHopAndStopsTheQuestions) {
  Watched shop;
  shop.inventory.hold();
  Watch watch(shop.storefront, "a");
  ASSERT_TRUE(eventually([&] { return shop.inventory.held() == 1; }));
  watch.cancel();
  EXPECT_EQ(watch.ends(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(eventually([&] { return shop.inventory.seen().at(0).cancelled; }));
  shop.inventory.release();
  EXPECT_FALSE(eventually([&] { return shop.inventory.seen().size() > 1; }, 300ms));
}

TEST(WatchTest, ADependencyThatFailsEndsIt) {
  Watched shop;
  shop.inventory.answer_with(std::vector<grpc::Status>(3, unavailable));
  Watch watch(shop.storefront, "a");
  EXPECT_EQ(watch.ends(), grpc::StatusCode::UNAVAILABLE);
}

TEST(WatchTest, AnInvalidOneIsRefused) {
  Watched shop;
  Watch watch(shop.storefront, "");
  EXPECT_EQ(watch.ends(), grpc::StatusCode::INVALID_ARGUMENT);
}

/// SIGTERM to one hop while a watch is open: between two questions, or with a question that hangs.
struct DrainCase {
  std::string name;
  bool orders = false;
  bool hanging = false;
};
void PrintTo(const DrainCase& drain, std::ostream* out) { *out << drain.name; }
class WatchDrainTest : public testing::TestWithParam<DrainCase> {};

TEST_P(WatchDrainTest, IsAskedToGoElsewhereAndDoesNotHoldTheExit) {
  Watched shop;
  GetParam().hanging ? shop.inventory.hold() : shop.settle_nothing();
  Watch watch(shop.storefront, "a");
  ASSERT_TRUE(eventually([&] { return !shop.inventory.seen().empty(); }));
  ASSERT_TRUE(GetParam().hanging || eventually([&] { return !watch.states().empty(); }));
  auto& leaving = GetParam().orders ? shop.service.process : shop.storefront.process;
  leaving.signal(SIGTERM);
  EXPECT_EQ(watch.ends(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(leaving.wait(3s), (Ended{.exit_code = 0, .signal = {}}));
}

INSTANTIATE_TEST_SUITE_P(Hops, WatchDrainTest,
                         testing::Values(DrainCase{"Orders", true, false},
                                         DrainCase{"OrdersHanging", true, true},
                                         DrainCase{"Storefront", false, false},
                                         DrainCase{"StorefrontHanging", false, true}),
                         [](const auto& drain) { return drain.param.name; });

}  // namespace
}  // namespace breakwire::services_test
