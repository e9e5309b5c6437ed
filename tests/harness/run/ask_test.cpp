// What is asked when the loads are over, with a PostgreSQL of its own.
#include "harness/run/ask.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "harness/process/process_tree.h"
#include "harness/process/temp_directory.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

Instant now() { return std::chrono::steady_clock::now(); }

class WishingCheck final : public checks::Check {
 public:
  explicit WishingCheck(std::vector<checks::Wish> wishes) : wishes_(std::move(wishes)) {}
  checks::CheckResult evaluate(const checks::Question&) const override { return passing(); }
  std::vector<checks::Wish> wishes() const override { return wishes_; }

 private:
  std::vector<checks::Wish> wishes_;
};

scenario::Expectation wishing(const std::string& name, std::vector<checks::Wish> wishes) {
  scenario::Expectation made;
  made.spec.name = made.spec.kind = name;
  made.spec.check = std::make_shared<WishingCheck>(std::move(wishes));
  return made;
}

/// A database `db` with two orders, up and running.
class AskTest : public testing::Test {
 protected:
  AskTest() {
    const std::string schema = folder.path() + "/schema.sql";
    std::ofstream(schema) << "create table orders (id text); insert into orders values ('a'), ('a'), ('b');";
    scenario::Service db;
    db.id = {"db"};
    db.what = scenario::PostgresService{.schema = schema};
    scenario.services.push_back(db);
    topology.emplace(scenario,
                     TopologyOptions{.guard = guard,
                                     .postgres = postgres,
                                     .bin = "/the/bin",
                                     .log_dir = folder.path(),
                                     .environment = environment},
                     recorder);
    topology->start({});
  }

  history::LedgerRead ask(const std::string& query, Duration within = 5s) {
    scenario.expect = {wishing("stored-once", {checks::LedgerWish{{"db"}, query}})};
    const Instant before = now();
    ask_afterwards(scenario, *topology, recorder, before + within, {});
    return recorder.locked([&](const history::History& history, Timeline&) {
      const auto& event = history.events().back();
      EXPECT_GE(event.at, before);
      const auto* read = std::get_if<history::LedgerRead>(&event.what);
      return read ? *read : history::LedgerRead{};
    });
  }
  history::CommandEnded run(std::vector<std::string> argv, Duration within = 5s) {
    scenario.expect = {wishing("mine", {checks::CommandWish{std::move(argv), within}})};
    ask_afterwards(scenario, *topology, recorder, now() + 10s, {});
    return recorder.locked([&](const history::History& history, Timeline&) {
      const auto* ended = std::get_if<history::CommandEnded>(&history.events().back().what);
      return ended ? *ended : history::CommandEnded{};
    });
  }
  void send(int signal) { topology->service({"db"}).perform(faults::SendSignal{signal}, {"f"}); }

  process::Guard guard{{.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}};
  process::PostgresTemplate postgres{guard};
  process::TempDirectory folder{guard};
  const scenario::Lookup environment = [](std::string_view name) {
    return name == "GREETING" ? std::optional<std::string>("hello") : std::nullopt;
  };
  scenario::Scenario scenario;
  Timeline timeline{scenario};
  Recorder recorder{setup_of(scenario), timeline};
  std::optional<Topology> topology;
};

TEST_F(AskTest, ALedgerIsReadUnderItsChecksName) {
  const auto read = ask("select id, count(*) from orders group by id order by id");
  EXPECT_EQ(read.check, "stored-once");
  EXPECT_EQ(read.rows, (std::vector<history::LedgerRead::Row>{{"a", 2}, {"b", 1}}));
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(ask("select id, 1 from orders where id = 'c'").error, "") << "an empty ledger is one";
}

TEST_F(AskTest, WhatIsNoLedgerIsToldWithoutRows) {
  const std::pair<const char*, const char*> wrong[] = {
      {"select id from orders", "the query answers 1 columns instead of a key and a count"},
      {"select null, 1", "the query answers a key that is NULL"},
      {"select 'a', 1 union all select 'b', null", "the query answers `NULL` as the count of key `b`"},
      {"select 'a', -1", "the query answers `-1` as the count of key `a`"},
      {"select 'a', 1.5", "the query answers `1.5` as the count of key `a`"},
      {"selekt", "ERROR:  syntax error at or near \"selekt\""},
      {"insert into orders values ('c') returning id, 1",
       "ERROR:  cannot execute INSERT in a read-only transaction"}};
  for (const auto& [query, error] : wrong) {
    const auto read = ask(query);
    EXPECT_TRUE(read.error.starts_with(error)) << query << ": " << read.error;
    EXPECT_TRUE(read.rows.empty()) << query;
  }
}

TEST_F(AskTest, ADatabaseThatIsMuteOrGoneHoldsNobodyUp) {
  send(SIGSTOP);
  const Instant before = now();
  EXPECT_NE(ask("select 'a', 1", 200ms).error, "");
  EXPECT_LT(now() - before, 4s);
  send(SIGCONT);
  EXPECT_EQ(ask("select 'a', 1").error, "");
  topology->service({"db"}).perform(faults::KillTree{}, {"f"});
  const auto read = ask("select pg_sleep(60), 1");
  EXPECT_TRUE(read.error.starts_with("no connection to the database") ||
              read.error.starts_with("the database broke off"))
      << read.error;
}

TEST_F(AskTest, NothingIsAskedOfARunThatIsInterrupted) {
  scenario.expect = {wishing("stored-once", {checks::LedgerWish{{"db"}, "select 'a', 1"}})};
  std::stop_source interrupted;
  interrupted.request_stop();
  const auto count = [&] {
    return recorder.locked([](const history::History& h, Timeline&) { return h.events().size(); });
  };
  const auto before = count();
  ask_afterwards(scenario, *topology, recorder, now() + 5s, interrupted.get_token());
  EXPECT_EQ(count(), before);
}

TEST_F(AskTest, ACommandRunsWithItsPlaceholdersFilledIn) {
  const auto ended = run({"sh", "-c", "echo started; echo ${bin} ${env.GREETING} >&2; exit 3"});
  EXPECT_EQ(ended.name, "mine");
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.error, "");
  EXPECT_EQ(ended.last_output, (std::vector<std::string>{"started", "/the/bin hello"}));
  EXPECT_EQ(run({"sh", "-c", "kill -SEGV $$"}).signal, SIGSEGV);
}

TEST_F(AskTest, ACommandThatDoesNotEndIsKilledWithAllItStarted) {
  const auto ended = run({"sh", "-c", "sleep 1000 & echo $!; wait"}, 300ms);
  EXPECT_TRUE(ended.timed_out);
  EXPECT_FALSE(ended.code || ended.signal);
  ASSERT_EQ(ended.last_output.size(), 1u);
  EXPECT_FALSE(process::process_info(std::stoi(ended.last_output[0])));
}

TEST_F(AskTest, ACommandThatCannotBeRunSaysWhy) {
  EXPECT_NE(run({"/no/such/program"}).error.find("/no/such/program"), std::string::npos);
  EXPECT_EQ(run({"echo", "${env.NOBODY_SET_IT}"}).error, "`${env.NOBODY_SET_IT}` has no value here");
}

TEST_F(AskTest, CommandsComeAfterLedgers) {
  scenario.expect = {wishing("mine", {checks::CommandWish{{"true"}, 5s}}),
                     wishing("stored-once", {checks::LedgerWish{{"db"}, "select 'a', 1"}})};
  ask_afterwards(scenario, *topology, recorder, now() + 5s, {});
  recorder.locked([&](const history::History& history, Timeline&) {
    const auto events = history.events();
    EXPECT_TRUE(std::holds_alternative<history::LedgerRead>(events[events.size() - 2].what));
    EXPECT_TRUE(std::holds_alternative<history::CommandEnded>(events.back().what));
  });
}

}  // namespace
}  // namespace breakwire::run
