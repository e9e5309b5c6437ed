// Whole runs of the shop's storefront: each verdict with its exit code, replay, teardown, and a guard that
// dies.
#include <csignal>
#include <fstream>

#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

/// The storefront with a fault on its edge that waits until after the baseline.
ScenarioFile slow_for_a_while() {
  return {.load = R"("rate": "50/s", "for": "1s")", .further = R"("timeline": [
    { "id": "slow", "at": "600ms", "for": "200ms", "on": "client->storefront", "fault": "latency", "with": { "delay": "30ms" } } ], )"};
}

class VerdictsTest : public CliTest {
 protected:
  json::Value told(const std::string& id = "good") { return scenario(report(), id); }
};

TEST_F(VerdictsTest, AGreenRunIs0AndItsReportHoldsWhatHappened) {
  file("a.json", slow_for_a_while());
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  const auto good = told();
  EXPECT_EQ(good.find("verdict")->text, "passed");
  EXPECT_TRUE(good.find("baseline")->text.starts_with("green (")) << good.find("baseline")->text;
  const auto& fault = good.find("faults")->items.at(0);
  EXPECT_TRUE(fault.find("fired")->boolean);
  EXPECT_EQ(fault.find("cleanup")->text, "healed");
  EXPECT_EQ(fault.find("entry")->find("fault")->text, "latency");
  EXPECT_GE(good.find("load")->items.at(0).find("issued")->number, 40);
  EXPECT_EQ(good.find("checks")->items.at(0).find("line")->text, "14");
  const auto& process = good.find("services")->items.at(0).find("processes")->items.at(0);
  EXPECT_EQ(process.find("exit_code")->text, "0");
  EXPECT_TRUE(process.find("expected")->boolean);
}

TEST_F(VerdictsTest, ARedCheckIs1WithWhatWasExpectedAndFound) {
  file("a.json", ScenarioFile{.method = "shop.v1.StorefrontService/PlaceOrder"});
  const Ended ended = breakwire(run_of({"a.json"}));  // nobody is behind the storefront
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  expect_says(ended.out, "check `outcomes`: expected ");
  expect_says(ended.out, "(a.json:");
  expect_says(ended.out, "replay: " BREAKWIRE_BIN_DIR "/breakwire run a.json --only good --seed 1\n");
}

TEST_F(VerdictsTest, ABaselineThatIsNotGreenIs2AndNothingIsBroken) {
  ScenarioFile scenario = slow_for_a_while();
  scenario.method = "shop.v1.StorefrontService/PlaceOrder";
  file("a.json", scenario);
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
  const auto judged = told();
  EXPECT_TRUE(judged.find("baseline")->text.starts_with("not green: ")) << judged.find("baseline")->text;
  EXPECT_EQ(judged.find("faults")->items.at(0).find("armed_ms")->kind, json::Kind::null);
}

TEST_F(VerdictsTest, AFaultThatNeverFiresIs2) {
  ScenarioFile scenario = slow_for_a_while();
  scenario.further = R"("timeline": [
    { "id": "kill", "when": { "call": { "on": "client->storefront", "nth": 100000 } }, "on": "storefront", "fault": "kill" } ], )";
  file("a.json", scenario);
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
  expect_says(ended.out, "fault `kill` never fired: what its `when` waits for never happened");
}

TEST_F(VerdictsTest, ARunThatOutlivesItsTimeoutIs3) {
  file("a.json",
       ScenarioFile{.load = R"("rate": "50/s", "calls": 100000)", .further = R"("timeout": "1s", )"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_EQ(told().find("reason")->text, "not over within its `timeout` of 1s");
}

TEST_F(VerdictsTest, TheReplayRunsExactlyThatScenarioWithItsSeed) {
  file("anna's files/a.json",
       ScenarioFile{.further = R"("seed": 99, "matrix": { "n": ["1", "2"] }, "vars": { "n": "0" }, "description": "${vars.n}", )"});
  EXPECT_EQ(
      breakwire(run_of({"anna's files/a.json", "--only", "good[n=2]", "--bin", BREAKWIRE_BIN_DIR})).code, 0);
  const auto replay = told("good[n=2]").find("replay")->text;
  const std::string command =
      "cd '" + folder().string() + "' && " + replay + " --report again > replayed 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << replay;
  std::ifstream again(folder() / "again" / "report.json");
  const auto read = json::parse(std::string(std::istreambuf_iterator<char>(again), {}), "again");
  ASSERT_TRUE(read.ok()) << replay;
  ASSERT_EQ(read->find("scenarios")->items.size(), 1u);
  EXPECT_EQ(read->find("scenarios")->items[0].find("id")->text, "good[n=2]");
  EXPECT_EQ(read->find("scenarios")->items[0].find("seed")->text, "99");
}

TEST_F(VerdictsTest, AServiceThatWillNotStopIsKilledAfterItsGraceAndNoted) {
  file("a.json", ScenarioFile{.services = R"("storefront": )" + storefront_alone + R"(,
    "stubborn": { "run": ["sh", "-c", "trap '' TERM; ${bin}/storefront --listen=${address.grpc} --orders=127.0.0.1:1 --flaw=no-drain & while :; do wait; done"],
                  "stop": { "grace": "300ms" } })"});
  const Ended ended = breakwire(run_of({"a.json"}));
  const auto notes = told().find("notes")->items;
  ASSERT_EQ(notes.size(), 1u) << json::write(*told().find("notes"));
  EXPECT_EQ(notes[0].text,
            "service stubborn did not end within its grace when breakwire stopped it, and was killed");
}

TEST_F(VerdictsTest, WhenTheGuardIsKilledTheRunEndsAsAnError) {
  file("a.json", ScenarioFile{.load = R"("rate": "50/s", "for": "50s")"});
  const auto program = start({"run", "a.json", "--report", "report"});
  const auto guard = [] {
    for (const pid_t pid : processes()) {
      std::ifstream comm("/proc/" + std::to_string(pid) + "/comm");
      std::string name;
      std::getline(comm, name);
      if (name == "breakwire-guard") return pid;  // parents come first: the guard before its keepers
    }
    return 0;
  };
  ASSERT_TRUE(eventually([&] { return processes().size() >= 4 && guard() > 0; }));
  ::kill(guard(), SIGKILL);
  const Ended ended = program->wait(15s);
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  expect_says(told().find("reason")->text, "guard was killed");
  EXPECT_TRUE(eventually([] { return processes().empty(); }));
}

TEST_F(VerdictsTest, AReportThatCannotBeWrittenIsToldBeforeAnythingRuns) {
  file("a.json", ScenarioFile{});
  file("occupied", "a file");
  const Ended ended = breakwire({"run", "a.json", "--report", "occupied/report"});
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  expect_says(ended.err, "occupied/report");
  EXPECT_EQ(ended.out.find("passed"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::cli
