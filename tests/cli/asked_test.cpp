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

TEST_F(AskedTest, ALedgerWhoseDatabaseIsDownIs2) {
  file("a.json",
       with_database(read_once,
                     R"("timeline": [ { "id": "gone", "at": "700ms", "on": "db", "fault": "kill" } ], )"));
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
  expect_says(check().find("reason")->text, "the ledger could not be read: no connection to the database");
}

}  // namespace
}  // namespace breakwire::cli
