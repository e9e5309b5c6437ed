// Whole runs whose checks rest on something besides the wire.
#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

/// The storefront beside a database. Each call "orders" `readiness`: its health answers whoever asks.
ScenarioFile with_database(const std::string& expect, const std::string& timeline = "") {
  return {
      .services = R"("db": { "postgres": { "schema": "schema.sql" } }, "storefront": )" + storefront_alone,
      .method = "grpc.health.v1.Health/Check",
      .load = R"("rate": "50/s", "for": "1s", "request": { "service": "readiness" })",
      .further = timeline,
      .expect = expect};
}

class AskedTest : public CliTest {
 protected:
  AskedTest() { file("schema.sql", "create table done (key text); insert into done values ('readiness');"); }

  json::Value check() { return scenario(report(), "good").find("checks")->items.at(0); }
};

constexpr const char* read_once =
    R"({ "check": "ledger", "load": "browsers", "key": "service", "database": "db", "query": "select key, count(*) from done group by key" })";

TEST_F(AskedTest, ALedgerThatHoldsWhatWasAcknowledgedIs0) {
  file("a.json", with_database(read_once));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(
      check().find("actual")->text,
      "1 acknowledged, 0 missing, 0 more than once; 0 refused, 0 ghosts; 0 indeterminate, 0 of them there");
}

TEST_F(AskedTest, ALedgerThatHoldsItTwiceIs1) {
  file("schema.sql", "create table done (key text); insert into done values ('readiness'), ('readiness');");
  file("a.json", with_database(read_once));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  expect_says(check().find("actual")->text, "first more than once: browsers-");
}

TEST_F(AskedTest, WhatAnotherLoadAskedForIsNoSurplusInALedger) {
  file("schema.sql", "create table done (key text); insert into done values ('readiness'), ('liveness');");
  ScenarioFile two_loads = with_database(read_once);
  two_loads.load = R"("rate": "50/s", "for": "1s", "request": { "service": "readiness" },
                  "method": "grpc.health.v1.Health/Check" },
    "watchers": { "via": "client->storefront", "deadline": "2s", "rate": "20/s", "for": "1s",
                  "request": { "service": "liveness" })";
  file("a.json", two_loads);
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(
      check().find("actual")->text,
      "1 acknowledged, 0 missing, 0 more than once; 0 refused, 0 ghosts; 0 indeterminate, 0 of them there");
}

TEST_F(AskedTest, ALedgerWhoseDatabaseIsDownIs2) {
  file("a.json",
       with_database(read_once,
                     R"("timeline": [ { "id": "gone", "at": "700ms", "on": "db", "fault": "kill" } ], )"));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
  expect_says(check().find("reason")->text, "the ledger could not be read: no connection to the database");
}

/// Its own process is the storefront's; the database is not needed.
ScenarioFile alone(const std::string& expect) {
  return {
      .load = R"("rate": "50/s", "for": "1s")",
      .further =
          R"("timeline": [ { "id": "slow", "at": "600ms", "for": "200ms", "on": "client->storefront", "fault": "latency", "with": { "delay": "30ms" } } ], )",
      .expect = expect};
}

TEST_F(AskedTest, AServiceThatGivesBackWhatItTookIs0) {
  file("a.json",
       alone(R"({ "check": "resources", "service": "storefront", "after": "slow", "within": "100ms" })"));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  expect_says(check().find("actual")->text, " descriptors at the end, ");
}

TEST_F(AskedTest, AServiceThatLeaksIs1) {
  // Beside the storefront, a shell that goes on opening its log.
  ScenarioFile leaky = alone(
      R"({ "check": "resources", "service": "storefront", "after": "slow", "within": "100ms", "memory": "1000MiB" })");
  leaky.services =
      R"("storefront": { "run": ["bash", "-c", "${bin}/storefront --listen=${address.grpc} --orders=127.0.0.1:1 & for ((;;)); do exec {fd}<a.json; sleep 0.02; done"],
                     "ready": { "grpc_health": "readiness" } })";
  file("a.json", leaky);
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  expect_says(check().find("actual")->text, " descriptors too many: only 5 more are tolerated");
}

TEST_F(AskedTest, ACommandThatIsContentIs0AndSeesTheServices) {
  file(
      "a.json",
      alone(
          R"({ "check": "command", "run": ["bash", "-c", "exec 3<>/dev/tcp/${client->storefront.host}/${client->storefront.port} && echo reached"] })"));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(check().find("actual")->text, "it exited with code 0");
}

TEST_F(AskedTest, ACommandThatIsNotIs1WithItsWords) {
  file("a.json", alone(R"({ "check": "command", "run": ["sh", "-c", "echo one is missing; exit 4"] })"));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  EXPECT_EQ(check().find("actual")->text, "it exited with code 4; its last output: one is missing");
}

}  // namespace
}  // namespace breakwire::cli
