// `breakwire up`: everything started, said where, usable, and gone again.
#include <csignal>
#include <fstream>
#include <regex>

#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

namespace fs = std::filesystem;

class UpTest : public CliTest {
 protected:
  /// breakwire, holding what the arguments name.
  std::unique_ptr<Program> up(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "up");
    auto program = start(arguments);
    EXPECT_TRUE(eventually([&] { return program->out().find("ready after") != std::string::npos; }))
        << program->out() << program->err();
    return program;
  }
  /// What stands behind `label` below the line that begins with `of`.
  static std::string told(const std::string& out, const std::string& of, const std::string& label) {
    std::istringstream lines(out.substr(std::min(out.find(of), out.size())));
    std::string text;
    std::getline(lines, text);
    while (std::getline(lines, text) && text.starts_with("  ")) {
      if (text.starts_with("  " + label + " "))
        return text.substr(text.find_first_not_of(' ', 2 + label.size()));
    }
    ADD_FAILURE() << "no " << label << " of " << of << " in:\n" << out;
    return "";
  }
  /// Calls the storefront at that address by a client that is not breakwire's; answers the status' name.
  std::string call(const std::string& address) const {
    const std::string script = file("call.py", R"(
import sys, grpc
channel = grpc.insecure_channel(sys.argv[1])
ask = channel.unary_unary("/shop.v1.StorefrontService/ListSpecials")
try:
    ask(b"", timeout=10)
    print("OK")
except grpc.RpcError as error:
    print(error.code().name)
)");
    const std::string command =
        "cd " + folder().string() + " && /usr/bin/python3 " + script + " " + address + " > called 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream called(folder() / "called");
    std::string status;
    std::getline(called, status);
    return status;
  }
};

TEST_F(UpTest, HoldsWhatItSaysUntilCtrlCAndLeavesNothing) {
  const auto program = up({file("a.json", ScenarioFile{.name = "shop"})});
  const std::string out = program->out();
  expect_says(out, "starting storefront of shop\n");
  const std::string edge = told(out, "edge client->storefront", "address");
  EXPECT_TRUE(std::regex_match(edge, std::regex(R"(127\.0\.0\.1:[0-9]+)"))) << edge;
  EXPECT_EQ(call(edge), "OK");
  const std::string own = told(out, "service storefront (process, pid ", "address");
  EXPECT_TRUE(std::regex_match(own, std::regex(R"(grpc 127\.0\.0\.1:[0-9]+)"))) << own;
  EXPECT_NE(own, "grpc " + edge) << "the edge is a relay";
  EXPECT_EQ(told(out, "service storefront", "health"),
            own.substr(5) + R"(, readiness is "readiness", liveness is "liveness")");
  const std::string log = told(out, "service storefront", "log");
  EXPECT_TRUE(fs::exists(log)) << log;
  EXPECT_TRUE(log.starts_with(folder().string())) << "it will be gone with the rest: " << log;

  program->signal(SIGINT);
  const Ended ended = program->wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(processes(), std::vector<pid_t>{}) << "at the moment it returns";
  EXPECT_EQ(temporary_files(), std::vector<std::string>{});
  expect_says(ended.err, "interrupted; stopping what was started");
  expect_says(ended.out, "stopped\n");
  EXPECT_FALSE(has_report());
  EXPECT_FALSE(fs::exists(folder() / "out"));
}

TEST_F(UpTest, KeepsTheLogsWhereItIsTold) {
  const auto program = up({file("a.json", ScenarioFile{.name = "shop"}), "--report", "kept"});
  program->signal(SIGTERM);
  EXPECT_EQ(program->wait().code, 0);
  EXPECT_TRUE(fs::exists(folder() / "kept/logs/shop/storefront.log"));
  EXPECT_FALSE(fs::exists(folder() / "kept/report.json"));
}

TEST_F(UpTest, TellsADatabasesUrl) {
  ScenarioFile scenario;
  scenario.services = R"("db": { "postgres": {} }, "storefront": )" + storefront_alone;
  scenario.edge = R"({}, "storefront->db": { "protocol": "tcp" })";
  const auto program = up({file("a.json", scenario)});
  const std::string address = told(program->out(), "edge storefront->db", "address");
  const std::string url = told(program->out(), "edge storefront->db", "url");
  EXPECT_TRUE(url.starts_with("postgresql://postgres@" + address + "/")) << url;
  expect_says(program->out(), "service db (postgres, pid ");
  program->signal(SIGINT);
  EXPECT_EQ(program->wait().code, 0);
}

TEST_F(UpTest, EndsWhenAServiceDoesAndQuotesIt) {
  file("mayfly.py", R"(
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
server.accept()
server.accept()
print("no licence", flush=True)
sys.exit(9)
)");
  ScenarioFile scenario;
  scenario.services = R"("storefront": { "run": ["/usr/bin/python3", "mayfly.py", "${port.grpc}"] })";
  const auto program = up({file("a.json", scenario)});
  // Its second connection is ours; the first was the question whether it is ready.
  const std::string edge = told(program->out(), "edge client->storefront", "address");
  call(edge);
  const Ended ended = program->wait();
  EXPECT_EQ(ended.code, 1);
  expect_says(ended.err, "error: service `storefront` ended by itself (exit code 9); its last output:\n");
  expect_says(ended.err, "      no licence\n");
}

TEST_F(UpTest, AServiceThatIsNeverReadyIsAnError) {
  ScenarioFile scenario;
  scenario.services = script("echo warming up; exec sleep 1000", R"({ "within": "300ms" })");
  const Ended ended = breakwire({"up", file("a.json", scenario)});
  EXPECT_EQ(ended.code, 3);
  expect_says(ended.err, "service `storefront` was not ready within 300ms");
  expect_says(ended.err, "--> a.json:5:");
}

TEST_F(UpTest, CtrlCBeforeEverythingIsReadyIsAnErrorAndDoesNotWait) {
  ScenarioFile scenario;
  scenario.services = script("exec sleep 1000", R"({ "within": "100s" })");
  const auto program = start({"up", file("a.json", scenario)});
  ASSERT_TRUE(eventually([] { return processes().size() >= 4; }));  // breakwire, guard, keeper, service
  program->signal(SIGINT);
  const Ended ended = program->wait();
  EXPECT_EQ(ended.code, 3);
  expect_says(ended.err, "interrupted before everything was ready");
}

TEST_F(UpTest, OfSeveralScenariosStartsThePlainOneOrTheOneThatIsNamed) {
  ScenarioFile scenario{.name = "shop"};
  scenario.further =
      R"("twins": { "broken": { "vars": { "flaw": "x" }, "fails": ["outcomes"] } }, "vars": { "flaw": "" }, "description": "flaw: ${vars.flaw}", )";
  file("a.json", scenario);
  auto program = up({"a.json"});
  expect_says(program->out(), " of shop\n");
  expect_says(program->err(), "note: a.json holds 2 scenarios; this is `shop`, others by --only");
  program->signal(SIGINT);
  EXPECT_EQ(program->wait().code, 0);
  program = up({"a.json", "--only", "shop~broken"});
  expect_says(program->out(), " of shop~broken\n");
  program->signal(SIGINT);
  EXPECT_EQ(program->wait().code, 0);
}

TEST_F(UpTest, WhatIsNoScenarioIsToldAndIs4) {
  file("a.json", ScenarioFile{.name = "shop"});
  file("scenarios/a.json", ScenarioFile{});
  file("bad.json", "{ \"version\": 1, }");
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"up"}, "FILE is required"},
      {{"up", "nowhere.json"}, "there is no file or folder nowhere.json"},
      {{"up", "scenarios"}, "scenarios is a folder"},
      {{"up", "bad.json"}, "--> bad.json:1:"},
      {{"up", "a.json", "--only", "shp"}, "there is no scenario `shp`\n  did you mean `shop`?"},
      {{"up", "a.json", "--bin", "nowhere"}, "--bin nowhere is not a folder"},
      {{"up", "a.json", "--report", "a.json"}, "--report a.json is not a folder"}};
  for (const auto& [arguments, says] : cases) {
    const Ended ended = breakwire(arguments);
    EXPECT_EQ(ended.code, 4) << says;
    expect_says(ended.err, says);
  }
}

}  // namespace
}  // namespace breakwire::cli
