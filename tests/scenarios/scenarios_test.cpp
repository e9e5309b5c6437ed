// Every file of a folder of scenarios (SCENARIOS) is a test: it passes, and each of its twins turns red on
// exactly the checks it names. Run through the program itself, as a user would.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "harness/scenario/read.h"

namespace breakwire {
namespace {

namespace fs = std::filesystem;

const fs::path folder = SCENARIOS;

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      files.push_back(entry.path().stem().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// With a sanitizer's slowness, two shops at once on two cores are as late as on a machine that is too busy.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const std::string jobs = " --jobs 1";
#else
const std::string jobs;
#endif

class ScenarioFileTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioFileTest, HasAFlawedTwinOnANamedCheck) {
  const auto read = scenario::read_scenarios(folder / (GetParam() + ".json"), read_file);
  ASSERT_TRUE(read) << render(read.errors());
  size_t twins = 0;
  for (const auto& scenario : *read) twins += scenario.twin && !scenario.twin->fails.empty();
  EXPECT_GE(twins, 1u);
}

TEST_P(ScenarioFileTest, PassesAndItsTwinsTurnRed) {
  const fs::path report =
      fs::temp_directory_path() / ("breakwire-scenarios-test-" + std::to_string(getpid()));
  const std::string command = std::string(BREAKWIRE_BIN_DIR) + "/breakwire run " +
                              (folder / (GetParam() + ".json")).string() + " --report " + report.string() +
                              jobs + " 2>&1";
  const int status = std::system(command.c_str());
  const auto text = read_file(report / "report.json");
  fs::remove_all(report);
  ASSERT_TRUE(text) << "no report; run: " << command;
  const auto json = json::parse(*text, "report.json");
  ASSERT_TRUE(json);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GE(json->find("summary")->find("passed")->number, 2);
  for (const auto& scenario : json->find("scenarios")->items) {
    EXPECT_EQ(scenario.find("verdict")->text, "passed")
        << scenario.find("id")->text << ": " << scenario.find("reason")->text
        << "\nreplay: " << scenario.find("replay")->text;
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ScenarioFileTest, testing::ValuesIn(scenario_files()),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace breakwire
