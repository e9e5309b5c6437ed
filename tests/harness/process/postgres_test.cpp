#include "harness/process/postgres.h"

#include <signal.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>

#include "harness/process/process_tree.h"
#include "tests/harness/process/guarded_test.h"

namespace breakwire::process {
namespace {

/// One guard and one template for all the tests of a program, as in a run.
class PostgresTest : public testing::Test {
 protected:
  struct Shared {
    Guard guard{{.program = BREAKWIRE_BIN_DIR "/breakwire-guard"}};
    PostgresTemplate origin{guard};
  };
  static void SetUpTestSuite() { shared = new Shared; }
  static void TearDownTestSuite() {
    delete shared;
    shared = nullptr;
  }
  static Shared* shared;

  Guard& guard = shared->guard;
  PostgresTemplate& origin = shared->origin;
  TempDirectory directory{guard};

  static std::string ask(const Postgres& postgres, const std::string& sql, Duration within = 5s) {
    DatabaseConnection connection(postgres.conninfo(), in(within));
    const auto rows = connection.query(sql, in(within));
    return rows.empty() ? "no rows" : rows[0][0].value_or("NULL");
  }
  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = directory.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
};
PostgresTest::Shared* PostgresTest::shared = nullptr;

const std::string orders_schema =
    "CREATE TABLE orders (id text PRIMARY KEY);\nINSERT INTO orders VALUES ('first');\n";

TEST_F(PostgresTest, AnswersOnItsSocketWithItsSchemaAndNowhereElse) {
  const Postgres postgres(origin, {.schema_file = file("schema.sql", orders_schema)});
  EXPECT_EQ(ask(postgres, "SELECT id FROM orders"), "first");
  EXPECT_EQ(ask(postgres, "SELECT current_database()"), "shop");
  EXPECT_EQ(ask(postgres, "SHOW listen_addresses"), "");
  EXPECT_EQ(ask(postgres, "SHOW synchronous_commit"), "on");
  EXPECT_TRUE(std::filesystem::is_socket(postgres.socket_path()));
  EXPECT_LE(postgres.socket_path().size(), 107u);
}

TEST_F(PostgresTest, WhatWasCommittedSurvivesAKillAndARestart) {
  std::vector<ProcessExited> exits;
  std::mutex mutex;
  Postgres postgres(
      origin, {.schema_file = file("schema.sql", orders_schema), .on_exit = [&](const ProcessExited& exit) {
                 const std::lock_guard lock(mutex);
                 exits.push_back(exit);
               }});
  ask(postgres, "INSERT INTO orders VALUES ('second') RETURNING id");
  const std::string path = postgres.socket_path();
  const pid_t first = postgres.pid();
  const auto family = descendants_of(first);
  EXPECT_GE(family.size(), 3u);

  postgres.kill();
  EXPECT_FALSE(postgres.running());
  for (const auto& one : family) EXPECT_FALSE(process_info(one.pid)) << one.pid;
  EXPECT_THROW(ask(postgres, "SELECT 1"), DatabaseError);

  postgres.start();
  EXPECT_TRUE(postgres.running());
  EXPECT_NE(postgres.pid(), first);
  EXPECT_EQ(postgres.socket_path(), path);
  EXPECT_EQ(ask(postgres, "SELECT count(*) FROM orders"), "2");
  const std::lock_guard lock(mutex);
  ASSERT_EQ(exits.size(), 1u);
  EXPECT_EQ(exits[0].pid, first);
  EXPECT_EQ(exits[0].status, (ExitStatus{.signal = SIGKILL}));
}

TEST_F(PostgresTest, RestartsAfterOnlyItsPostmasterWasKilled) {
  Postgres postgres(origin, {});
  // A busy backend does not notice at once that its postmaster is gone, and would keep the next one from
  // starting.
  auto busy = std::async(std::launch::async, [&] {
    try {
      ask(postgres, "SELECT count(*) FROM generate_series(1, 1000000000)", 30s);
    } catch (const DatabaseError&) {
      return true;
    }
    return false;
  });
  ASSERT_TRUE(eventually([&] {
    return ask(postgres, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%series%'") == "2";
  }));
  postgres.process()->signal(SIGKILL);
  ASSERT_TRUE(postgres.process()->wait(in(10s)));
  postgres.start();
  EXPECT_EQ(ask(postgres, "SELECT 1"), "1");
  EXPECT_TRUE(busy.get());
}

TEST_F(PostgresTest, FrozenItAcceptsAndNeverAnswersAndThawedItGoesOn) {
  Postgres postgres(origin, {});
  DatabaseConnection before(postgres.conninfo(), in(5s));
  postgres.pause();
  EXPECT_THROW(DatabaseConnection(postgres.conninfo(), in(100ms)), DatabaseError);
  try {
    before.query("SELECT 1", in(100ms));
    FAIL() << "it answered";
  } catch (const DatabaseError& error) {
    EXPECT_STREQ(error.what(), "the database did not answer in time");
  }
  EXPECT_TRUE(postgres.running());
  postgres.resume();
  EXPECT_EQ(ask(postgres, "SELECT 1"), "1");
}

TEST_F(PostgresTest, StopsFastAndCleanly) {
  Postgres postgres(origin, {});
  const DatabaseConnection open(postgres.conninfo(), in(5s));
  EXPECT_TRUE(postgres.stop(5s));
  EXPECT_EQ(postgres.process()->exited()->status, (ExitStatus{.code = 0}));
}

TEST_F(PostgresTest, LeavesNeitherFilesNorSharedMemoryBehind) {
  std::string place;
  int segment = -1;
  shmid_ds info{};
  {
    Postgres postgres(origin, {});
    place = std::filesystem::path(postgres.socket_path()).parent_path();
    segment = shared_memory_of(place);
    ASSERT_EQ(::shmctl(segment, IPC_STAT, &info), 0);
    postgres.kill();
    EXPECT_EQ(::shmctl(segment, IPC_STAT, &info), 0)
        << "PostgreSQL cleans up after itself: this test is not needed";
  }
  EXPECT_FALSE(std::filesystem::exists(place));
  EXPECT_NE(::shmctl(segment, IPC_STAT, &info), 0);
}

TEST_F(PostgresTest, TwoAtOnceHaveNothingInCommon) {
  const auto make = [&](const std::string& id) {
    return std::make_unique<Postgres>(
        origin,
        PostgresOptions{.schema_file = file(id + ".sql", "CREATE TABLE t AS SELECT '" + id + "' AS id")});
  };
  auto one = std::async(std::launch::async, make, "one");
  auto other = std::async(std::launch::async, make, "other");
  EXPECT_EQ(ask(*one.get(), "SELECT id FROM t"), "one");
  EXPECT_EQ(ask(*other.get(), "SELECT id FROM t"), "other");
}

TEST_F(PostgresTest, AWrongSchemaIsASentenceWithItsLine) {
  const std::string schema =
      file("schema.sql", "-- für alle\nCREATE TABLE a (id text);\n\nCREATE TABEL b (id text);\n");
  try {
    const Postgres postgres(origin, {.schema_file = schema});
    FAIL() << "it was accepted";
  } catch (const DatabaseError& error) {
    EXPECT_TRUE(
        std::string(error.what())
            .starts_with(schema + ":4: the schema is refused: ERROR:  syntax error at or near \"TABEL\""))
        << error.what();
  }
  try {
    const Postgres postgres(origin, {.schema_file = "/no/such.sql"});
    FAIL() << "it was accepted";
  } catch (const DatabaseError& error) {
    EXPECT_STREQ(error.what(), "cannot read the schema `/no/such.sql`");
  }
}

TEST_F(PostgresTest, AStartIsToldBeforeTheExitOfAServerThatDiesInIt) {
  std::vector<std::string> told;
  std::mutex mutex;
  const auto tell = [&](const std::string& what, pid_t pid) {
    const std::lock_guard lock(mutex);
    told.push_back(what + " " + std::to_string(pid));
  };
  EXPECT_THROW(Postgres(origin, {.settings = {"no_such_setting=1"},
                                 .on_start = [&](pid_t pid) { tell("start", pid); },
                                 .on_exit = [&](const ProcessExited& exit) { tell("exit", exit.pid); }}),
               DatabaseError);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[0].starts_with("start "));
  EXPECT_EQ(told[1], "exit " + told[0].substr(6));
}

TEST_F(PostgresTest, AServerThatDiesAtItsStartIsQuoted) {
  const Instant before = in(0s);
  try {
    const Postgres postgres(origin, {.settings = {"shared_buffers=none"}});
    FAIL() << "it started";
  } catch (const DatabaseError& error) {
    const std::string what = error.what();
    EXPECT_TRUE(what.starts_with("PostgreSQL ended at its start, exit code 1; its last words:\n")) << what;
    EXPECT_NE(what.find("invalid value for parameter \"shared_buffers\""), std::string::npos) << what;
  }
  EXPECT_LT(in(0s) - before, 5s) << "it waited for a server that was dead";
}

TEST_F(PostgresTest, NoPostgreSQLIsASentenceWithTheNextMove) {
  try {
    find_postgres(directory.path());
    FAIL() << "it was found";
  } catch (const PostgresMissing& missing) {
    EXPECT_EQ(missing.what(), "there is no PostgreSQL in `" + directory.path() +
                                  "`: name the directory that holds the programs `initdb` and `postgres`");
  }
  PostgresTemplate elsewhere(guard, directory.path());
  EXPECT_THROW(Postgres(elsewhere, {}), PostgresMissing);
}

TEST_F(PostgresTest, IsLookedForInPathAndThenTheNewestOfDebians) {
  const std::string path = std::getenv("PATH");
  const auto install = [&](const std::string& bin) {
    std::filesystem::create_directories(bin);
    for (const char* program : {"/initdb", "/postgres"})
      std::filesystem::create_symlink("/bin/true", bin + program);
    return bin;
  };
  const std::string debian = directory.path() + "/debian";
  std::string missing;
  ::setenv("PATH", "/no/such:", 1);
  try {
    find_postgres({}, debian);
  } catch (const PostgresMissing& error) {
    missing = error.what();
  }
  install(debian + "/9.6/bin");
  const std::string newest = install(debian + "/15/bin");
  const std::string found_newest = find_postgres({}, debian);
  const std::string in_path = install(directory.path() + "/bin");
  ::setenv("PATH", ("/no/such:" + in_path).c_str(), 1);
  const std::string found_in_path = find_postgres({}, debian);
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(missing,
            "a scenario needs a database and PostgreSQL is not installed: `apt-get install postgresql` "
            "(Debian, Ubuntu), or set BREAKWIRE_POSTGRES_BIN to the directory that holds the programs "
            "`initdb` and `postgres` of another installation");
  EXPECT_EQ(found_newest, newest);
  EXPECT_EQ(found_in_path, in_path);
}

TEST_F(PostgresTest, ATooLongOrClosedTemporaryPlaceIsPassedOver) {
  const std::string deep = directory.path() + "/" + std::string(90, 'd');
  std::filesystem::create_directories(deep);
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before != nullptr ? before : "";
  ::setenv("TMPDIR", deep.c_str(), 1);
  EXPECT_EQ(place_for_databases(std::nullopt), "/tmp");
  ::setenv("TMPDIR", directory.path().c_str(), 1);  // mode 0700
  EXPECT_EQ(place_for_databases(std::nullopt), directory.path());
  EXPECT_EQ(place_for_databases(User{.uid = 65534, .gid = 65534, .name = "nobody"}), "/tmp");
  before != nullptr ? ::setenv("TMPDIR", saved.c_str(), 1) : ::unsetenv("TMPDIR");
}

TEST_F(PostgresTest, IsReadyInHalfASecondOnceTheTemplateExists) {
  const auto took = [&] {
    const Instant before = in(0s);
    const Postgres postgres(origin, {.schema_file = file("schema.sql", orders_schema)});
    return to_ms(in(0s) - before);
  };
  const double first = took(), next = took();
  std::cout << "first " << first << " ms, next " << next << " ms\n";
  EXPECT_LT(next, 5000) << "ten times the aim: a busy machine is no failure, a time-out somewhere is";
}

}  // namespace
}  // namespace breakwire::process
