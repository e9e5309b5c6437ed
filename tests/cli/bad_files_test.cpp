// What wrong files, flags and names get: a sentence with the place and the next move, and exit code 4.
#include <fstream>

#include "tests/cli/files.h"
#include "tests/cli/program.h"

namespace breakwire::cli {
namespace {

class BadFilesTest : public CliTest {};

TEST_F(BadFilesTest, ASyntaxErrorIsShownWhereItStands) {
  file("a.json", "{\n  \"version\": 1,\n  \"name\": oops\n}\n");
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "--> a.json:3:11");
  expect_says(ended.err, "\"name\": oops");
  const auto in_report = scenario(report(), "a");
  EXPECT_EQ(in_report.find("verdict")->text, "error");
  expect_says(in_report.find("reason")->text, "a.json:3:11");
}

TEST_F(BadFilesTest, AllErrorsOfAFileAreToldWithTheNextMove) {
  file("a.json", ScenarioFile{.method = "no method", .further = R"("timelin": [], "seed": "x", )"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "did you mean `timeline`?");
  expect_says(ended.err, "seed");
  expect_says(ended.err, "no method");
  EXPECT_TRUE(has_report());
}

TEST_F(BadFilesTest, AMissingFileIsNamed) {
  const Ended ended = breakwire(run_of({"nowhere.json"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "there is no file or folder nowhere.json");
  expect_says(ended.err, "give a scenario file, or a folder of them");
}

TEST_F(BadFilesTest, AMissingIncludeIsNamedWhereItIsAskedFor) {
  file("a.json", ScenarioFile{.further = R"("include": ["topology/none.json"], )"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "topology/none.json");
  expect_says(ended.err, "--> a.json:");
}

TEST_F(BadFilesTest, AFolderWithoutScenariosIsNotAPass) {
  file("scenarios/readme.txt", "nothing here");
  const Ended ended = breakwire(run_of({"scenarios"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "nothing to run");
}

TEST_F(BadFilesTest, AFolderStandsForTheFilesDirectlyInItAndSaysWhatItPassedOver) {
  file("scenarios/a.json", ScenarioFile{.name = "a"});
  file("scenarios/topology/shop.json", "{}");
  file("scenarios/scenario.schema.json", "{}");
  const Ended ended = breakwire({"validate", "scenarios"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  expect_says(ended.out, "1 scenario in 1 file: valid");
  expect_says(ended.err, "note: scenarios/topology was not searched");
}

TEST_F(BadFilesTest, OneFileGivenTwiceIsOneFile) {
  file("a.json", ScenarioFile{.name = "a"});
  const Ended ended = breakwire({"validate", "a.json", "./a.json", "."});
  EXPECT_EQ(ended.code, 0) << ended.err;
  expect_says(ended.out, "1 scenario in 1 file: valid");
}

TEST_F(BadFilesTest, TwoScenariosOfOneNameWouldOverwriteEachOthersTraces) {
  file("a.json", ScenarioFile{.name = "same"});
  file("b.json", ScenarioFile{.name = "same"});
  const Ended ended = breakwire({"validate", "."});
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "scenario `same` of b.json has the same name as one of a.json");
}

TEST_F(BadFilesTest, ABadFileDoesNotKeepGoodOnesFromRunning) {
  file("scenarios/bad.json", "{ \"version\": 1, }");
  file("scenarios/good.json", ScenarioFile{});
  const Ended ended = breakwire(run_of({"scenarios"}));
  EXPECT_EQ(ended.code, 4) << ended.out << ended.err;
  expect_says(ended.err, "scenarios/bad.json:1:");
  const auto written = report();
  EXPECT_EQ(scenario(written, "good").find("verdict")->text, "passed") << ended.out;
  EXPECT_EQ(scenario(written, "bad").find("verdict")->text, "error");
  EXPECT_EQ(written.find("summary")->find("total")->text, "2");
}

TEST_F(BadFilesTest, ATagThatNobodyHasSelectsNothingAndIsNotAPass) {
  file("a.json", ScenarioFile{.further = R"("tags": ["fast"], )"});
  const Ended ended = breakwire(run_of({"a.json", "--tag", "fats"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "nothing to run");
  expect_says(ended.err, "no scenario has the tag `fats`\n  did you mean `fast`?");
}

TEST_F(BadFilesTest, AnIdThatNobodyHasSelectsNothing) {
  file("a.json", ScenarioFile{.name = "checkout"});
  const Ended ended = breakwire(run_of({"a.json", "--only", "chekout"}));
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, "there is no scenario `chekout`\n  did you mean `checkout`?");
}

TEST_F(BadFilesTest, ASelectionThatIsNothingLeavesAnEarlierReportAsItIs) {
  const std::string earlier = R"({ "summary": { "verdict": "passed" } })";
  file("report/report.json", earlier);
  file("a.json", ScenarioFile{});
  for (const auto& typo : {std::vector<std::string>{"--tag", "none"}, {"--only", "none"}}) {
    const Ended ended = breakwire(run_of({"a.json", typo[0], typo[1]}));
    EXPECT_EQ(ended.code, 4);
    expect_says(ended.err, "nothing to run");
    expect_says(ended.err, "report/report.json is of an earlier run and was left as it is");
    std::ifstream kept(folder() / "report" / "report.json");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), earlier);
  }
}

struct UsageCase {
  std::string name;
  std::vector<std::string> arguments;
  std::string says;
  friend void PrintTo(const UsageCase& one, std::ostream* out) { *out << one.name; }
};
class UsageTest : public CliTest, public testing::WithParamInterface<UsageCase> {};

TEST_P(UsageTest, IsToldAndIsExitCode4) {
  file("a.json", ScenarioFile{});
  const Ended ended = breakwire(GetParam().arguments);
  EXPECT_EQ(ended.code, 4);
  expect_says(ended.err, GetParam().says);
  EXPECT_FALSE(has_report());
}

INSTANTIATE_TEST_SUITE_P(
    Table, UsageTest,
    testing::Values(UsageCase{"no_command", {}, "A subcommand is required"},
                    UsageCase{"unknown_command", {"rnu"}, "there is no command `rnu`\n  did you mean `run`?"},
                    UsageCase{"no_path", {"run"}, "PATH is required"},
                    UsageCase{"unknown_flag", {"run", "a.json", "--jbos", "2"}, "--jbos"},
                    UsageCase{"no_jobs", {"run", "a.json", "--jobs", "0"}, "--jobs"},
                    UsageCase{"jobs_that_are_no_number",
                              {"run", "a.json", "--jobs", "many"},
                              "--jobs: `many` is not a number of scenarios to run at a time: 1 to 256"},
                    UsageCase{"too_many_jobs", {"run", "a.json", "--jobs", "257"}, "--jobs: `257` is not"},
                    UsageCase{
                        "seed_that_is_no_number",
                        {"run", "a.json", "--seed", "-1"},
                        "--seed: `-1` is not a whole number; a seed is one from 0 to 18446744073709551615"},
                    UsageCase{"seed_that_is_too_big",
                              {"run", "a.json", "--seed", "18446744073709551616"},
                              "--seed: 18446744073709551616 is too big for a seed"},
                    UsageCase{"programs_in_no_folder",
                              {"run", "a.json", "--bin", "nowhere", "--report", "report"},
                              "nowhere is not a folder"},
                    UsageCase{"report_that_is_a_file",
                              {"run", "a.json", "--report", "a.json"},
                              "--report a.json is not a folder"},
                    UsageCase{"list_of_nothing", {"list", "cheks"}, "cheks"},
                    UsageCase{"schema_of_nothing", {"schema", "fault"}, "fault"}),
    [](const auto& one) { return one.param.name; });

TEST_F(BadFilesTest, AReportFolderThatCannotBeWrittenIsToldBeforeAnythingRuns) {
  file("a.json", ScenarioFile{});
  const Ended ended = breakwire({"run", "a.json", "--report", "/proc/nowhere"});
  EXPECT_EQ(ended.code, 3);
  expect_says(ended.err, "the report folder /proc/nowhere cannot be written");
  EXPECT_EQ(ended.out, "");
}

TEST_F(BadFilesTest, AWrongMethodNameIsAnsweredWithTheRightOne) {
  file("a.json", ScenarioFile{.method = "shop.v1.StorefrontService/ListSpecial"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 4) << ended.out << ended.err;
  expect_says(ended.out, "did you mean");
  expect_says(ended.out, "ListSpecials");
  expect_says(ended.out, "a.json:");
  const auto told = scenario(report(), "good");
  EXPECT_EQ(told.find("verdict")->text, "error");
  const auto& process = told.find("services")->items.at(0).find("processes")->items.at(0);
  EXPECT_EQ(process.find("exit_code")->text, "0") << "the service got its proper end";
  EXPECT_TRUE(process.find("expected")->boolean);
}

TEST_F(BadFilesTest, AFieldTheRequestDoesNotHaveIsTheFilesFault) {
  file("a.json", ScenarioFile{.load = R"("calls": 1, "request": { "sku": "apple" })"});
  const Ended ended = breakwire(run_of({"a.json"}));
  EXPECT_EQ(ended.code, 4) << ended.out << ended.err;
  expect_says(ended.out, "sku");
  expect_says(ended.out, "a.json:");
}

}  // namespace
}  // namespace breakwire::cli
