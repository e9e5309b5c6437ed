// Everything but `run`: validate, list, explain, schema, docs, --help, --version.
#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

class CommandsTest : public CliTest {
 protected:
  /// What it printed; it must have succeeded in silence otherwise.
  std::string printed(const std::vector<std::string>& arguments) {
    const Ended ended = breakwire(arguments);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    return ended.out;
  }
};

TEST_F(CommandsTest, HelpNamesEveryCommandAndTheExitCodes) {
  const std::string help = printed({"--help"});
  for (const char* command : {"run", "validate", "list", "explain", "schema", "docs"})
    expect_says(help, command);
  expect_says(help, "0 passed, 1 failed, 2 inconclusive, 3 harness error, 4 bad file or usage");
}

TEST_F(CommandsTest, HelpOfRunNamesItsFlags) {
  const std::string help = printed({"run", "--help"});
  for (const char* flag : {"--jobs", "--tag", "--only", "--seed", "--report", "--bin"})
    expect_says(help, flag);
}

TEST_F(CommandsTest, TheVersionIsAVersion) {
  const std::string version = printed({"--version"});
  unsigned major = 0, minor = 0, patch = 0;
  int length = 0;
  EXPECT_EQ(std::sscanf(version.c_str(), "%u.%u.%u\n%n", &major, &minor, &patch, &length), 3);
  EXPECT_EQ(size_t(length), version.size()) << version;
}

TEST_F(CommandsTest, ValidateCountsWhatItRead) {
  file("s/a.json", ScenarioFile{.name = "a"});
  file("s/b.json", ScenarioFile{.name = "b", .further = R"("matrix": { "n": [1, 2] }, "description": "${vars.n} of 2", )"});
  EXPECT_EQ(printed({"validate", "s"}), "3 scenarios in 2 files: valid\n");
}

TEST_F(CommandsTest, ValidateTellsEveryErrorOfEveryFile) {
  file("s/a.json", ScenarioFile{.name = "a", .further = R"("sed": 1, "tmeout": "1s", )"});
  file("s/b.json", "[");
  file("s/c.json", ScenarioFile{.name = "c"});
  const Ended ended = breakwire({"validate", "s"});
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "did you mean `seed`?");
  expect_says(ended.err, "did you mean `timeout`?");
  expect_says(ended.err, "s/b.json:1:");
  expect_says(ended.err, "3 errors in 2 of 3 files");
}

TEST_F(CommandsTest, ListNamesTheKindsWithASentenceEach) {
  const std::string faults = printed({"list", "faults"});
  for (const char* kind : {"latency", "stall", "refuse", "reset", "accept_hang", "grpc_status", "grpc_hang",
                           "lose_response", "signal", "kill", "pause", "restart"})
    expect_says("\n" + faults, std::string("\n") + kind + " ");
  const std::string checks = printed({"list", "checks"});
  for (const char* kind : {"outcomes", "latency", "deadline_kept", "deadline_propagated", "attempts",
                           "graceful_shutdown", "health", "exit", "running", "recovers"})
    expect_says("\n" + checks, std::string("\n") + kind + " ");
}

TEST_F(CommandsTest, ExplainTellsParametersAndAnExample) {
  const std::string fault = printed({"explain", "grpc_status"});
  expect_says(fault, "grpc_status: ");
  expect_says(fault, "code  (status code, required)");
  expect_says(fault, "example:");
  const std::string check = printed({"explain", "graceful_shutdown"});
  expect_says(check, "within");
  expect_says(check, "example:");
}

TEST_F(CommandsTest, AKindThatIsBothAFaultAndACheckIsExplainedAsBoth) {
  const std::string text = printed({"explain", "latency"});
  expect_says(text, "delay  (duration, required)");
  expect_says(text, "\"fault\": \"latency\"");
  expect_says(text, "\"check\": \"latency\"");
}

TEST_F(CommandsTest, ExplainOfNothingKnownSuggests) {
  const Ended ended = breakwire({"explain", "latncy"});
  EXPECT_EQ(ended.code, 4);
  EXPECT_EQ(ended.out, "");
  expect_says(ended.err, "there is no fault or check `latncy`");
  expect_says(ended.err, "did you mean `latency`?");
}

TEST_F(CommandsTest, SchemasAreJsonAndSaySo) {
  for (const char* what : {"scenario", "report"}) {
    const auto schema = json::parse(printed({"schema", what}), what);
    ASSERT_TRUE(schema.ok()) << what;
    EXPECT_EQ(schema->find("$schema")->text, "https://json-schema.org/draft/2020-12/schema");
  }
}

TEST_F(CommandsTest, TheScenarioSchemaTakesAGoodFileAndRefusesATypo) {
  file("schema.json", printed({"schema", "scenario"}));
  file("good.json", ScenarioFile{});
  file("typo.json", ScenarioFile{.further = R"("timelin": [], )"});
  const auto validates = [&](const std::string& name) {
    const std::string command = "/usr/bin/python3 " BREAKWIRE_SOURCE_DIR "/tests/reports/validate.py " +
                                (folder() / "schema.json").string() + " " + (folder() / name).string() +
                                " > " + (folder() / "validation").string() + " 2>&1";
    return std::system(command.c_str());
  };
  EXPECT_EQ(validates("good.json"), 0);
  EXPECT_NE(validates("typo.json"), 0);
}

TEST_F(CommandsTest, DocsPrintWhatIsCommitted) {
  EXPECT_TRUE(printed({"docs", "faults"}).starts_with("# Faults\n"));
  EXPECT_TRUE(printed({"docs", "checks"}).starts_with("# Checks\n"));
}

}  // namespace
}  // namespace breakwire::cli
