// Payments and its ledger with a real PostgreSQL: once per order whatever is repeated, raced, lost or killed;
// nothing for what was refused; and what each flaw makes of that.

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/services/postgres.h"
#include "tests/services/support.h"

namespace breakwire::services_test {
namespace {

struct Answer {
  grpc::Status status;
  shop::v1::ChargeResponse response;
};

Answer charge(const Service& payments, const std::string& order_id, const std::string& account = "guest",
              std::int64_t cents = 25) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 2s);
  shop::v1::ChargeRequest request;
  request.set_order_id(order_id);
  request.set_account(account);
  request.set_amount_cents(cents);
  Answer answer;
  answer.status =
      shop::v1::PaymentsService::NewStub(payments.channel)->Charge(&context, request, &answer.response);
  return answer;
}

grpc::StatusCode lookup(const Service& payments, const std::string& order_id) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 2s);
  shop::v1::GetChargeRequest request;
  request.set_order_id(order_id);
  shop::v1::GetChargeResponse response;
  return shop::v1::PaymentsService::NewStub(payments.channel)
      ->GetCharge(&context, request, &response)
      .error_code();
}

class LedgerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { database = new Postgres; }
  static void TearDownTestSuite() { delete database; }

  static std::unique_ptr<Service> start(const std::string& name, const std::string& flaw = "") {
    auto service = std::make_unique<Service>(
        name, std::vector<std::string>{"--database=" + database->address(), "--flaw=" + flaw});
    EXPECT_TRUE(service->becomes("readiness", "SERVING"));
    return service;
  }
  static std::string charges(const std::string& id) {
    return database->ask("select count(*) from charges where order_id = '" + id + "'");
  }
  static std::string orders_stored(const std::string& id) {
    return database->ask("select count(*) from orders where order_id = '" + id + "'");
  }
  static long balance(const std::string& account) {
    return std::stol(database->ask("select balance_cents from accounts where account = '" + account + "'"));
  }
  static long stock() { return std::stol(database->ask("select available from stock where sku = 'apple'")); }

  static Postgres* database;
};

Postgres* LedgerTest::database = nullptr;

TEST_F(LedgerTest, AnOrderIsChargedOnceAndEveryAttemptIsAnsweredAlike) {
  auto payments = start("payments");
  auto before = balance("guest");
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto answer = charge(*payments, "once");
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.response.amount_cents(), 25);
  }
  EXPECT_EQ(charges("once"), "1");
  EXPECT_EQ(balance("guest"), before - 25);
  EXPECT_EQ(lookup(*payments, "once"), grpc::StatusCode::OK);
  EXPECT_EQ(lookup(*payments, "never"), grpc::StatusCode::NOT_FOUND);
}

TEST_F(LedgerTest, AttemptsAtOnceAreOneCharge) {
  auto payments = start("payments");
  std::vector<Answer> answers(8);
  std::vector<std::thread> callers;
  for (auto& answer : answers) callers.emplace_back([&] { answer = charge(*payments, "at-once"); });
  for (auto& caller : callers) caller.join();
  for (const auto& answer : answers) EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(charges("at-once"), "1");
}

TEST_F(LedgerTest, WhatAnAccountCannotPayIsRefusedForGood) {
  auto payments = start("payments");
  for (const char* account : {"pauper", "nobody"}) {
    auto id = std::string("refused-") + account;
    EXPECT_EQ(charge(*payments, id, account).status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(charges(id), "0");
    EXPECT_EQ(lookup(*payments, id), grpc::StatusCode::FAILED_PRECONDITION);
  }
  database->ask("update accounts set balance_cents = 1000 where account = 'pauper'");
  EXPECT_EQ(charge(*payments, "refused-pauper", "pauper").status.error_code(),
            grpc::StatusCode::FAILED_PRECONDITION)
      << "what was refused once stays refused";
  EXPECT_TRUE(charge(*payments, "another", "pauper").status.ok());
  EXPECT_EQ(balance("pauper"), 975);
  database->ask("update accounts set balance_cents = 0 where account = 'pauper'");
}

TEST_F(LedgerTest, AnAccountIsNeverOverdrawnByChargesAtOnce) {
  auto payments = start("payments");
  database->ask("insert into accounts values ('student', 60)");
  std::vector<Answer> answers(8);
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < answers.size(); ++i)
    callers.emplace_back([&, i] { answers[i] = charge(*payments, "s" + std::to_string(i), "student"); });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(std::ranges::count_if(answers, [](const auto& answer) { return answer.status.ok(); }), 2);
  EXPECT_EQ(balance("student"), 10);
}

TEST_F(LedgerTest, AnOrderIdIsNotReusedForSomethingElse) {
  auto payments = start("payments");
  ASSERT_TRUE(charge(*payments, "reused").status.ok());
  EXPECT_EQ(charge(*payments, "reused", "pauper").status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(charge(*payments, "reused", "guest", 26).status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(charges("reused"), "1");
}

struct BadCharge {
  std::string name, order_id, account;
  std::int64_t cents;
};
const BadCharge bad_charges[] = {{"no order", "", "guest", 1},
                                 {"no account", "x", "", 1},
                                 {"nothing", "x", "guest", 0},
                                 {"a gift", "x", "guest", -5},
                                 {"too much", "x", "guest", 100'000'001},
                                 {"a zero byte", std::string("x\0y", 3), "guest", 1},
                                 {"a long name", std::string(129, 'x'), "guest", 1}};

TEST_F(LedgerTest, WhatMakesNoSenseIsInvalid) {
  auto payments = start("payments");
  for (const auto& bad : bad_charges)
    EXPECT_EQ(charge(*payments, bad.order_id, bad.account, bad.cents).status.error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << bad.name;
}

TEST_F(LedgerTest, NotIdempotentChargesAgain) {
  auto payments = start("payments", "not-idempotent");
  EXPECT_TRUE(charge(*payments, "twice").status.ok());
  EXPECT_TRUE(charge(*payments, "twice").status.ok());
  EXPECT_EQ(charges("twice"), "2");
  EXPECT_EQ(charge(*payments, "poor", "pauper").status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(LedgerTest, NotIdempotentTakesGoodsAgainAndTheOrdersShowIt) {
  auto inventory = start("inventory", "not-idempotent");
  auto payments = start("payments");
  Service orders("orders", {"--inventory=" + inventory->address, "--payments=" + payments->address});
  auto before = stock();
  EXPECT_TRUE(create_order(orders, "taken-twice").status.ok());
  EXPECT_EQ(orders_stored("taken-twice"), "1");
  EXPECT_TRUE(create_order(orders, "taken-twice").status.ok());
  EXPECT_EQ(orders_stored("taken-twice"), "2");
  EXPECT_EQ(stock(), before - 2);
}

TEST_F(LedgerTest, WhatIsOutOfStockIsWhatTheOrdersHave) {
  const auto missing = [] {  // that no order has
    return database->ask(
        "select coalesce(sum(1000000000 - available), 0) - (select coalesce(sum(quantity), 0) from orders "
        "where sku <> 'durian') from stock where sku <> 'durian'");
  };
  auto inventory = start("inventory");
  auto payments = start("payments");
  Service orders("orders", {"--inventory=" + inventory->address, "--payments=" + payments->address});
  for (const char* id : {"counted", "counted", "counted-too"})
    EXPECT_TRUE(create_order(orders, id).status.ok()) << id;
  Service storefront("storefront", {"--orders=" + orders.address});
  EXPECT_FALSE(place_order(storefront, "counted-not", 2s, "apple", nullptr, "pauper").status.ok());
  EXPECT_EQ(missing(), "0");
  EXPECT_EQ(orders_stored("counted") + orders_stored("counted-too") + orders_stored("counted-not"), "110");
}

TEST_F(LedgerTest, AKilledPaymentsHasStoredWhatItAcknowledged) {
  auto payments = start("payments");
  ASSERT_TRUE(charge(*payments, "durable").status.ok());
  payments->process.signal(SIGKILL);
  EXPECT_EQ(charges("durable"), "1");
}

TEST_F(LedgerTest, AckBeforeCommitLosesWhatItIsKilledOver) {
  auto payments = start("payments", "ack-before-commit");
  {
    WriteLock not_yet(*database, "charges");  // however long the kill takes to come
    ASSERT_TRUE(charge(*payments, "lost").status.ok());
    payments->process.signal(SIGKILL);
    payments->process.wait();
    ASSERT_TRUE(eventually([] {
      return database->ask("select count(*) from pg_stat_activity where application_name = 'payments'") ==
             "0";
    })) << "the server gives up what a client began that has gone";
  }
  EXPECT_EQ(charges("lost"), "0");
}

TEST_F(LedgerTest, AckBeforeCommitCommitsInTheEndAndRefusesAtOnce) {
  auto payments = start("payments", "ack-before-commit");
  EXPECT_EQ(charge(*payments, "late-poor", "pauper").status.error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  {
    WriteLock not_yet(*database, "charges");  // for less than the second that a late commit waits
    ASSERT_TRUE(charge(*payments, "late").status.ok()) << "acknowledged, though nobody can commit it";
    EXPECT_EQ(charges("late"), "0");
  }
  EXPECT_TRUE(eventually([] { return charges("late") == "1"; }));
  ASSERT_TRUE(charge(*payments, "late").status.ok());
  ASSERT_TRUE(charge(*payments, "last").status.ok());
  payments->process.signal(SIGTERM);
  EXPECT_EQ(payments->process.wait(), (Ended{.exit_code = 0, .signal = {}}));
  EXPECT_EQ(charges("late") + charges("last"), "11") << "an orderly exit loses nothing";
}

TEST_F(LedgerTest, AnOrderThatCannotBePaidLeavesNothingBehind) {
  auto inventory = start("inventory");
  auto payments = start("payments");
  Service orders("orders", {"--inventory=" + inventory->address, "--payments=" + payments->address});
  Service storefront("storefront", {"--orders=" + orders.address});
  auto place = [&](const std::string& id, const std::string& account) {
    return place_order(storefront, id, 2s, "apple", nullptr, account).status;
  };
  auto before = stock();
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto status = place("unpaid", "pauper");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(), "account \"pauper\" cannot pay 25 cents")
        << "every attempt is answered alike";
    EXPECT_EQ(orders_stored("unpaid") + charges("unpaid"), "00");
    EXPECT_EQ(stock(), before);
  }
  EXPECT_EQ(place("unpaid", "guest").error_code(), grpc::StatusCode::ALREADY_EXISTS);

  std::vector<grpc::Status> statuses(8);
  std::vector<std::thread> shoppers;
  for (auto& status : statuses) shoppers.emplace_back([&] { status = place("unpaid-at-once", "pauper"); });
  for (auto& shopper : shoppers) shopper.join();
  for (const auto& status : statuses)
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
  EXPECT_EQ(orders_stored("unpaid-at-once") + charges("unpaid-at-once"), "00");
  EXPECT_EQ(stock(), before);

  EXPECT_TRUE(place("paid", "").ok());
  EXPECT_EQ(orders_stored("paid") + charges("paid"), "11");
  EXPECT_EQ(stock(), before - 1);
}

TEST_F(LedgerTest, AnOrderWhosePaymentWasDownIsFinishedByARepetition) {
  auto inventory = start("inventory");
  auto payments = start("payments");
  Service orders("orders", {"--inventory=" + inventory->address, "--payments=" + payments->address});
  payments->process.signal(SIGKILL);
  payments->process.wait();
  auto before = stock();
  EXPECT_EQ(create_order(orders, "resumed", 1s).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(orders_stored("resumed") + charges("resumed"), "10");
  Child again({binary("payments"), "--listen=" + payments->address, "--database=" + database->address()});
  EXPECT_TRUE(eventually([&] { return create_order(orders, "resumed", 1s).status.ok(); }, 5s));
  EXPECT_EQ(orders_stored("resumed") + charges("resumed"), "11");
  EXPECT_EQ(stock(), before - 1);
}

class DatabaseFlawTest : public LedgerTest, public testing::WithParamInterface<std::string> {};

TEST_P(DatabaseFlawTest, HealthBlocksHangsWithTheDatabaseWhereHealthDoesNot) {
  auto good = start(GetParam());
  auto flawed = start(GetParam(), "health-blocks");
  database->freeze();
  EXPECT_EQ(flawed->health("readiness"), std::nullopt) << "no answer within 1 s";
  EXPECT_EQ(flawed->health("liveness"), std::nullopt);
  EXPECT_TRUE(good->becomes("readiness", "NOT_SERVING", 500ms));
  EXPECT_EQ(good->health("liveness"), "SERVING");
  database->thaw();
  EXPECT_TRUE(flawed->becomes("readiness", "SERVING", 3s));
}

/// A call that needs the database.
Reply ask(const Service& service, const std::string& name, Millis deadline) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + deadline);
  auto began = Clock::now();
  grpc::Status status;
  if (name == "payments") {
    shop::v1::GetChargeRequest request;
    request.set_order_id("x");
    shop::v1::GetChargeResponse response;
    status = shop::v1::PaymentsService::NewStub(service.channel)->GetCharge(&context, request, &response);
  } else {
    shop::v1::GetReservationRequest request;
    request.set_order_id("x");
    shop::v1::GetReservationResponse response;
    status =
        shop::v1::InventoryService::NewStub(service.channel)->GetReservation(&context, request, &response);
  }
  return {status, std::chrono::duration_cast<Millis>(Clock::now() - began)};
}

TEST_P(DatabaseFlawTest, WaitsForDatabaseWaitsToTheDeadlineWhereOthersFailAtOnce) {
  auto good = start(GetParam());
  auto flawed = start(GetParam(), "waits-for-database");
  database->freeze();
  EXPECT_TRUE(good->becomes("readiness", "NOT_SERVING", 1500ms));
  EXPECT_TRUE(flawed->becomes("readiness", "NOT_SERVING", 1500ms));
  auto fast = ask(*good, GetParam(), 900ms);
  EXPECT_EQ(fast.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(fast.took, 300ms);
  auto slow = ask(*flawed, GetParam(), 900ms);
  EXPECT_EQ(slow.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_GT(slow.took, 800ms);
  database->thaw();
  EXPECT_TRUE(flawed->becomes("readiness", "SERVING", 3s));
}

INSTANTIATE_TEST_SUITE_P(Services, DatabaseFlawTest, testing::Values("inventory", "payments"),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace breakwire::services_test
