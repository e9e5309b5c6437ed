// The whole chain with a real PostgreSQL, which is killed, frozen and blocked under it.

#include <gtest/gtest.h>

#include <thread>

#include "tests/services/postgres.h"
#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { database = new Postgres; }
  static void TearDownTestSuite() { delete database; }

  void SetUp() override {
    ASSERT_TRUE(inventory.becomes("readiness", "SERVING"));
    ASSERT_TRUE(payments.becomes("readiness", "SERVING"));
  }

  Reply order(const std::string& id, Millis deadline = 2s, const std::string& sku = "apple") {
    return place_order(storefront, id, deadline, sku);
  }
  grpc::StatusCode lookup(const std::string& id) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 2s);
    shop::v1::GetReservationRequest request;
    request.set_order_id(id);
    shop::v1::GetReservationResponse response;
    auto stub = shop::v1::InventoryService::NewStub(inventory.channel);
    return stub->GetReservation(&context, request, &response).error_code();
  }
  static std::string rows(const std::string& id) {
    return database->ask("select count(*) from orders where order_id = '" + id + "'");
  }

  static Postgres* database;
  Service inventory{"inventory", {"--database=" + database->address()}};
  Service payments{"payments", {"--database=" + database->address()}};
  Service orders{"orders", {"--inventory=" + inventory.address, "--payments=" + payments.address}};
  Service storefront{"storefront", {"--orders=" + orders.address}};
};

Postgres* DatabaseTest::database = nullptr;

TEST_F(DatabaseTest, AnOrderIsStoredOnceUnderItsId) {
  auto stock = std::stol(database->ask("select available from stock where sku = 'apple'"));
  EXPECT_TRUE(order("once").status.ok());
  EXPECT_EQ(rows("once"), "1");
  EXPECT_TRUE(order("once").status.ok()) << "a repetition is answered like the first";
  EXPECT_EQ(rows("once"), "1");
  EXPECT_EQ(std::stol(database->ask("select available from stock where sku = 'apple'")), stock - 1);
}

TEST_F(DatabaseTest, TheSameOrderTwiceAtOnceIsOneOrder) {
  auto stock = std::stol(database->ask("select available from stock where sku = 'apple'"));
  std::vector<Reply> replies(8);
  std::vector<std::thread> shoppers;
  for (auto& reply : replies) shoppers.emplace_back([&] { reply = order("at-once"); });
  for (auto& shopper : shoppers) shopper.join();
  for (const auto& reply : replies) EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(rows("at-once"), "1");
  EXPECT_EQ(std::stol(database->ask("select available from stock where sku = 'apple'")), stock - 1);
}

TEST_F(DatabaseTest, RefusalsSayWhyAndStoreNothing) {
  EXPECT_EQ(order("r1", 2s, "durian").status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(order("r2", 2s, "unicorn").status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(order("").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(rows("r1") + rows("r2") + rows(""), "000");
  EXPECT_TRUE(order("r3").status.ok());
  EXPECT_EQ(order("r3", 2s, "pear").status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(DatabaseTest, WhatWasRefusedStaysRefusedWhateverComesIntoStock) {
  const auto refused = [&](const std::string& id, const std::string& sku) {
    return order(id, 2s, sku).status;
  };
  const auto few = refused("too-early", "durian");
  const auto none = refused("far-too-early", "griffin");
  EXPECT_EQ(few.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(none.error_code(), grpc::StatusCode::NOT_FOUND);
  database->ask("update stock set available = 10 where sku = 'durian'");
  database->ask("insert into stock values ('griffin', 10, 1)");
  for (const auto& [id, sku, first] :
       {std::tuple{"too-early", "durian", few}, std::tuple{"far-too-early", "griffin", none}}) {
    auto again = refused(id, sku);
    EXPECT_EQ(again.error_code(), first.error_code()) << id;
    EXPECT_EQ(again.error_message(), first.error_message()) << id;
    EXPECT_EQ(rows(id), "0");
    EXPECT_EQ(lookup(id), grpc::StatusCode::FAILED_PRECONDITION) << "an order that is known, and refused";
  }
  EXPECT_EQ(lookup("never"), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(order("in-time", 2s, "durian").status.ok());
  EXPECT_TRUE(order("in-time-too", 2s, "griffin").status.ok());
  database->ask("update stock set available = 0 where sku = 'durian'");
}

TEST_F(DatabaseTest, AStatementThatHangsEndsWithTheCallAndStoresNothing) {
  std::thread blocker([] {
    // Holds the row for as long as somebody waits for it, and then until the waiting backend is gone.
    database->ask(
        "begin; update stock set available = available where sku = 'apple';"
        "do $$ begin"
        "  for i in 1..500 loop perform pg_sleep(0.01); perform pg_stat_clear_snapshot();"
        "    exit when exists (select from pg_stat_activity where application_name = 'inventory' and "
        "wait_event_type = 'Lock');"
        "  end loop;"
        "  for i in 1..500 loop perform pg_sleep(0.01); perform pg_stat_clear_snapshot();"
        "    exit when not exists (select from pg_stat_activity where application_name = 'inventory' and "
        "wait_event_type = 'Lock');"
        "  end loop;"
        "end $$; commit");
  });
  ASSERT_TRUE(eventually([] {
    return database->ask(
               "select count(*) from pg_stat_activity where query like 'begin; update%' and wait_event = "
               "'PgSleep'") == "1";
  }));
  auto reply = order("blocked", 400ms);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(reply.took, 600ms);
  auto began = Clock::now();
  blocker.join();
  EXPECT_LT(Clock::now() - began, 2s) << "the server went on working for a caller that had gone";
  EXPECT_EQ(rows("blocked"), "0");
  EXPECT_TRUE(order("blocked").status.ok());
}

TEST_F(DatabaseTest, KilledAndRestartedItIsNoticedBothTimes) {
  database->kill();
  EXPECT_TRUE(inventory.becomes("readiness", "NOT_SERVING", 1s));
  EXPECT_EQ(inventory.health("liveness"), "SERVING");
  auto reply = order("while-dead", 1s);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE) << reply.status.error_message();
  EXPECT_LT(reply.took, 500ms);
  database->start();
  EXPECT_TRUE(inventory.becomes("readiness", "SERVING", 2s));
  EXPECT_TRUE(order("after-death").status.ok());
}

TEST_F(DatabaseTest, FrozenItIsNoticedWithoutHangingAndThawedItServesAgain) {
  ASSERT_TRUE(order("before").status.ok());
  database->freeze();
  auto hung = order("while-frozen", 500ms);
  EXPECT_EQ(hung.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << hung.status.error_message();
  EXPECT_LT(hung.took, 700ms);
  EXPECT_TRUE(inventory.becomes("readiness", "NOT_SERVING", 1s));
  EXPECT_EQ(inventory.health("liveness"), "SERVING");
  auto reply = order("still-frozen", 1s);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE) << reply.status.error_message();
  EXPECT_LT(reply.took, 500ms);
  database->thaw();
  EXPECT_TRUE(inventory.becomes("readiness", "SERVING", 2s));
  EXPECT_TRUE(order("thawed").status.ok());
}

TEST_F(DatabaseTest, FlawedHealthDoesNotMatchTheDatabase) {
  Service liar("inventory", {"--database=" + database->address(), "--flaw=always-serving"});
  Service fragile("inventory", {"--database=" + database->url(), "--flaw=liveness-needs-database"});
  ASSERT_TRUE(fragile.becomes("liveness", "SERVING"));
  database->kill();
  EXPECT_TRUE(inventory.becomes("readiness", "NOT_SERVING", 1s));
  EXPECT_TRUE(fragile.becomes("liveness", "NOT_SERVING", 1s));
  EXPECT_EQ(liar.health("readiness"), "SERVING");
  database->start();
  EXPECT_TRUE(fragile.becomes("liveness", "SERVING", 2s));
}

}  // namespace
}  // namespace breakwire::services_test
