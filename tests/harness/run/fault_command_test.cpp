// The fault `command` as a run performs it: started, ended, and told when it came to nothing. One of them
// holds a lock in a PostgreSQL of its own.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "harness/process/database_connection.h"
#include "harness/process/temp_directory.h"
#include "harness/run/conductor.h"
#include "tests/harness/run/recorded.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

class FaultCommandTest : public testing::Test {
 protected:
  /// An entry of the timeline that is due at once and does not end by itself.
  void breaks_by(std::vector<std::string> argv) {
    scenario::Service victim;
    victim.id = {"victim"};
    victim.what = scenario::External{.host = "127.0.0.1", .port = 1};  // nobody touches it
    scenario.services.push_back(victim);
    scenario.timeline = {entry("mess", "command", "victim", Duration(0))};
    json::Value run = json::array();
    for (const auto& argument : argv) run.push(argument);
    ErrorList errors;
    auto decision = scenario.timeline[0].kind->make(json::object({{"run", std::move(run)}}), errors);
    ASSERT_TRUE(decision) << render(errors);
    scenario.timeline[0].decision = *decision;
  }
  void shell(const std::string& script) { breaks_by({"sh", "-c", script}); }

  void begin() {
    timeline.emplace(scenario);
    recorder = std::make_unique<Recorder>(setup_of(scenario), *timeline);
    topology.emplace(scenario,
                     TopologyOptions{.guard = guard,
                                     .postgres = postgres,
                                     .bin = "/the/bin",
                                     .log_dir = folder.path(),
                                     .environment = environment},
                     *recorder);
    if (with_database) topology->start({});
    conductor.emplace(scenario, *topology, *recorder);
    recorder->locked([](const auto&, Timeline& all) {
      all.start(now());
      all.listen(now());
    });
    conductor->perform_due();
  }

  template <class P>
  std::vector<P> all() {
    return all_of<P>(*recorder);
  }
  std::string printed() const {
    std::ifstream in(folder.path() + "/fault-mess.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool prints(const std::string& text) {
    return eventually([&] { return printed().find(text) != std::string::npos; });
  }
  std::string failure() {
    eventually([&] { return !all<history::FaultFailed>().empty(); });
    const auto failed = all<history::FaultFailed>();
    return failed.empty() ? "" : failed.front().why;
  }

  bool with_database = false;
  process::Guard guard{{.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}};
  process::PostgresTemplate postgres{guard};
  process::TempDirectory folder{guard};
  const scenario::Lookup environment = [](std::string_view name) {
    return name == "GREETING" ? std::optional<std::string>("hello") : std::nullopt;
  };
  scenario::Scenario scenario;
  std::optional<Timeline> timeline;
  std::unique_ptr<Recorder> recorder;
  std::optional<Topology> topology;
  std::optional<Conductor> conductor;
};

TEST_F(FaultCommandTest, RunsFromItsBeginToItsEndAndIsAskedToEnd) {
  // Without what a shell says of the `sleep` that is ended with it.
  shell(
      "exec 2>/dev/null; trap 'echo asked; exit 5' TERM; echo ${env.GREETING}; while :; do sleep 0.01; done");
  begin();
  ASSERT_TRUE(prints("hello"));
  EXPECT_EQ(all<faults::FaultHit>().front().action, "run_command");
  conductor->clear_all();
  EXPECT_EQ(printed(), "hello\nasked\n");
  EXPECT_EQ(all<history::FaultCleared>().front().tally.hits, 1u);
  EXPECT_TRUE(all<history::FaultFailed>().empty()) << "its code is its answer to SIGTERM";
}

TEST_F(FaultCommandTest, OneThatDoesNotListenIsKilledWithAllItStarted) {
  shell("trap '' TERM; sleep 1000 & echo up $!; while :; do sleep 0.01; done");
  begin();
  ASSERT_TRUE(prints("\n"));
  conductor->clear_all();
  const int child = std::stoi(printed().substr(3));
  EXPECT_TRUE(eventually([&] { return ::kill(child, 0) != 0; }));
  EXPECT_TRUE(all<history::FaultFailed>().empty());
}

TEST_F(FaultCommandTest, OneThatIsDoneBeforeTheEndHasDoneItsWork) {
  shell("echo broken");
  begin();
  ASSERT_TRUE(prints("broken"));
  conductor->clear_all();
  EXPECT_TRUE(all<history::FaultFailed>().empty());
}

TEST_F(FaultCommandTest, OneThatFailsIsToldWithWhatItSaid) {
  shell("echo 'no such table' >&2; exit 3");
  begin();
  const auto why = failure();
  EXPECT_TRUE(why.starts_with("its command ended by itself: exit code 3")) << why;
  EXPECT_NE(why.find("no such table"), std::string::npos) << why;
}

TEST_F(FaultCommandTest, OneThatCannotBeStartedHitsNothing) {
  breaks_by({"/no/such/program"});
  begin();
  EXPECT_TRUE(failure().starts_with("its command cannot be started: ")) << failure();
  EXPECT_TRUE(all<faults::FaultHit>().empty());
  conductor->clear_all();
  EXPECT_EQ(all<history::FaultCleared>().front().tally, (faults::FaultTally{.eligible = 1, .hits = 0}));
}

TEST_F(FaultCommandTest, OneThatNamesWhatHasNoValueIsAnErrorBeforeAnythingBegins) {
  breaks_by({"echo", "${env.ABSENT}"});
  try {
    begin();
    FAIL() << "it began";
  } catch (const SetupError& error) {
    EXPECT_EQ(error.error().what, "fault `mess` uses `${env.ABSENT}`, which has no value here");
  }
}

class WithDatabaseTest : public FaultCommandTest {
 protected:
  WithDatabaseTest() {
    with_database = true;
    const std::string schema = folder.path() + "/schema.sql";
    std::ofstream(schema) << "create table stock (id text);";
    scenario::Service db;
    db.id = {"db"};
    db.what = scenario::PostgresService{.schema = schema};
    scenario.services = {db};
    scenario::Edge edge;
    edge.id = {"client->db"};
    edge.from = {"client"};
    edge.to = {"db"};
    edge.protocol = scenario::EdgeProtocol::tcp;
    scenario.edges = {edge};
  }
  void breaks(const char* kind, const std::string& with) {
    scenario.timeline = {entry("mess", kind, "db", Duration(0))};
    ErrorList errors;
    const auto decision = scenario.timeline[0].kind->make(*json::parse(with, "with"), errors);
    ASSERT_TRUE(decision) << render(errors);
    scenario.timeline[0].decision = *decision;
    begin();
  }
  process::DatabaseConnection session() {
    const auto& database = dynamic_cast<DatabaseService&>(topology->service({"db"}));
    return process::DatabaseConnection(database.conninfo(), now() + 5s);
  }
};

/// The lock is seen by another session, which has nothing to do with it.
TEST_F(WithDatabaseTest, SqlHoldsALockUntilTheFaultIsOver) {
  breaks("command", R"j({"run": ["sh", "-c",
      "(echo 'BEGIN; LOCK TABLE stock; SELECT 42;'; sleep 60) | psql -q '${client->db.url}'"]})j");
  ASSERT_TRUE(prints("42"));
  auto witness = session();
  const std::string look = "select * from pg_locks where relation = 'stock'::regclass and granted";
  EXPECT_EQ(witness.query(look, now() + 5s).size(), 1u);
  conductor->clear_all();
  EXPECT_TRUE(eventually([&] { return witness.query(look, now() + 5s).empty(); }));
  EXPECT_TRUE(all<history::FaultFailed>().empty());
}

TEST_F(WithDatabaseTest, ADatabasesNewSessionsHaveItsLimits) {
  breaks("limit", R"({"descriptors": 64})");
  for (const auto& failed : all<history::FaultFailed>()) ADD_FAILURE() << failed.why;
  const auto limit_of_a_session = [&] {
    auto witness = session();
    const auto pid = witness.query("select pg_backend_pid()", now() + 5s).at(0).at(0).value();
    std::ifstream limits("/proc/" + pid + "/limits");  // where everybody may read them
    for (std::string line; std::getline(limits, line);) {
      if (line.starts_with("Max open files")) return std::stoi(line.substr(14));
    }
    return -1;
  };
  EXPECT_EQ(limit_of_a_session(), 64);
  EXPECT_EQ(all<faults::FaultHit>().front().action, "set_limits");
  conductor->clear_all();
  EXPECT_GT(limit_of_a_session(), 64);
  EXPECT_TRUE(all<history::FaultFailed>().empty());
}

}  // namespace
}  // namespace breakwire::run
