// Ctrl-C and kill -9 in the middle of a run: a partial report or none, and nothing left behind.
#include <csignal>
#include <fstream>

#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

namespace fs = std::filesystem;

/// With a database, and a service that is frozen in the middle: everything that is hard to get rid of.
const ScenarioFile endless{.name = "endless",
                           .services = R"("db": { "postgres": {} }, "storefront": )" + storefront_alone + R"(,
    "helper": { "run": ["sh", "-c", "sleep 1001 & exec ${bin}/storefront --listen=${address.grpc} --orders=127.0.0.1:1"] })",
                           .load = R"("rate": "50/s", "for": "50s")",
                           .further = R"("timeline": [
    { "id": "frozen", "at": "500ms", "on": "helper", "fault": "pause" } ], )"};

class InterruptTest : public CliTest {
 protected:
  /// breakwire, in the middle of `endless`: its fault has acted.
  std::unique_ptr<Program> running() {
    file("a.json", endless);
    file("b.json", ScenarioFile{});
    auto program = start({"run", "a.json", "b.json", "--jobs", "1", "--report", "report"});
    EXPECT_TRUE(eventually([&] { return frozen() > 0; })) << program->out() << program->err();
    return program;
  }
  /// How many processes of the run are stopped.
  static size_t frozen() {
    size_t count = 0;
    for (const pid_t pid : processes()) {
      std::ifstream status("/proc/" + std::to_string(pid) + "/status");
      for (std::string line; std::getline(status, line);) count += line.starts_with("State:\tT") ? 1 : 0;
    }
    return count;
  }
};

TEST_F(InterruptTest, CtrlCEndsTheRunWithAPartialReport) {
  const auto program = running();
  program->signal(SIGINT);
  const Ended ended = program->wait();
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_EQ(processes(), std::vector<pid_t>{}) << "at the moment it returns";
  expect_says(ended.err, "interrupted; ending what runs and writing a partial report");
  expect_says(ended.out, "(interrupted)");
  const auto written = report();
  EXPECT_TRUE(written.find("run")->find("interrupted")->boolean);
  EXPECT_EQ(written.find("summary")->find("verdict")->text, "error");
  const auto cut = scenario(written, "endless");
  EXPECT_EQ(cut.find("verdict")->text, "error");
  EXPECT_EQ(cut.find("reason")->text, "interrupted before it was over");
  EXPECT_NE(cut.find("load")->items.at(0).find("issued")->text, "0") << "what was seen is there";
  EXPECT_TRUE(fs::exists(folder() / "report" / cut.find("artifacts")->find("history")->text));
  const auto left_out = scenario(written, "good");
  EXPECT_EQ(left_out.find("verdict")->text, "skipped");
  EXPECT_EQ(left_out.find("reason")->text, "interrupted before it began");
}

TEST_F(InterruptTest, SigtermDoesTheSame) {
  const auto program = running();
  program->signal(SIGTERM);
  EXPECT_EQ(program->wait().code, 3);
  EXPECT_TRUE(report().find("run")->find("interrupted")->boolean);
}

TEST_F(InterruptTest, CtrlCWhileAServiceStartsDoesNotWaitForIt) {
  file("a.json", ScenarioFile{.services = script("exec sleep 1000", R"({ "within": "100s" })")});
  const auto program = start({"run", "a.json", "--report", "report"});
  ASSERT_TRUE(eventually([] { return processes().size() >= 4; }));  // breakwire, guard, keeper, service
  program->signal(SIGINT);
  const Ended ended = program->wait();
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(scenario(report(), "good").find("reason")->text, "interrupted before it was over");
}

TEST_F(InterruptTest, CtrlCWhileAServiceIsAskedForItsMethodsDoesNotWaitForIt) {
  // It takes connections and never says a word; the second one is for reflection.
  const auto mute = file("mute.py", R"(
import socket, sys
host, port = sys.argv[1].split(":")
server = socket.create_server((host, int(port)))
taken = []
while True:
    taken.append(server.accept())
    if len(taken) == 2:
        open(sys.argv[2], "w").close()
)");
  const auto asked = folder() / "asked";
  file("a.json",
       ScenarioFile{.services = R"("storefront": { "run": ["python3", ")" + (folder() / mute).string() +
                                R"(", "${address.grpc}", ")" + asked.string() + R"("] })"});
  const auto program = start({"run", "a.json", "--report", "report"});
  ASSERT_TRUE(eventually([&] { return fs::exists(asked); })) << program->out() << program->err();
  program->signal(SIGINT);
  EXPECT_EQ(program->wait().code, 3);
  EXPECT_EQ(scenario(report(), "good").find("reason")->text, "interrupted before it was over")
      << "and not what became of asking";
}

TEST_F(InterruptTest, ASecondCtrlCLeavesAtOnceAndTheGuardCleansUp) {
  // A service that will not go holds the first one up.
  file("a.json", ScenarioFile{.services = R"("storefront": )" + storefront_alone + R"(,
    "stubborn": { "run": ["sh", "-c", "trap '' TERM; ${bin}/storefront --listen=${address.grpc} --orders=127.0.0.1:1"],
                  "stop": { "grace": "100s" } })",
                              .load = R"("rate": "50/s", "for": "50s")"});
  const auto program = start({"run", "a.json", "--report", "report"});
  ASSERT_TRUE(eventually([&] {
    return fs::exists(folder() / "report/logs/good/storefront.log") &&
           program->out().find("running 1 scenario") != std::string::npos && processes().size() >= 6;
  })) << program->out()
      << program->err();
  program->signal(SIGINT);
  ASSERT_TRUE(eventually([&] { return program->err().find("partial report") != std::string::npos; }));
  program->signal(SIGINT);
  const Ended ended = program->wait();
  EXPECT_EQ(ended.code, 130);
  expect_says(ended.err, "leaving at once");
  EXPECT_TRUE(eventually([&] { return processes().empty() && temporary_files().empty(); }));
}

TEST_F(InterruptTest, KillNineLeavesNoProcessAndNoTemporaryDirectory) {
  const auto program = running();
  EXPECT_FALSE(temporary_files().empty()) << "the database is there, so this can fail";
  program->signal(SIGKILL);
  EXPECT_EQ(program->wait().code, 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().empty() && temporary_files().empty(); }));
}

}  // namespace
}  // namespace breakwire::cli
