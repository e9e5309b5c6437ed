// Histories as files, and what may not be in them.
#include "harness/run/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/history/ndjson.h"
#include "harness/run/judge.h"
#include "tests/harness/history_builder.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string made = (fs::temp_directory_path() / "store-test-XXXXXX").string();
    folder = ::mkdtemp(made.data());
  }
  ~StoreTest() override { fs::remove_all(folder); }
  static std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path folder;
};

const scenario::Lookup environment = [](std::string_view name) -> std::optional<std::string> {
  return name == "TOKEN" ? std::optional<std::string>("t0k3n") : std::nullopt;
};

history::HistoryBuilder telling(const std::string& message) {
  history::HistoryBuilder h;
  h.at(-10ms).phase(history::Phase::setup).at(0ms).phase(history::Phase::main);
  h.issue(1).at(20ms).done(1, StatusCode::unauthenticated, message.c_str());
  return h;
}

TEST_F(StoreTest, AStoredHistoryReadsBackAsItWas) {
  const auto h = telling("no");
  const fs::path path = folder / "deep" / "one.ndjson";
  store_history(h, path, {});
  const auto read = history::read_ndjson(text_of(path), path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->setup(), h.history().setup());
  ASSERT_EQ(read->events().size(), h.history().events().size());
  EXPECT_EQ(std::get<history::CallDone>(read->events().back().what).message, "no");
}

TEST_F(StoreTest, AStoredHistoryIsJudgedAsTheLiveOneWas) {
  scenario::Scenario scenario = shop();
  scenario.timeline = {entry("slow", "latency", "storefront->orders", Duration(200ms), 100ms)};
  scenario.timeline[0].must_fire = 2;
  scenario.expect = {expectation("outcomes", failing())};
  history::HistoryBuilder h(setup_of(scenario));
  h.at(-50ms).phase(history::Phase::setup).at(-40ms).process("orders", 10);
  h.at(0ms).phase(history::Phase::baseline).at(10ms).issue(1).at(20ms).done(1);
  h.at(100ms).phase(history::Phase::main).at(200ms).arm("slow").at(210ms).issue(2);
  h.at(220ms).hit("slow", "storefront->orders", 1).at(250ms).done(2, StatusCode::unavailable, "gone");
  h.at(300ms).clear("slow", 1).at(400ms).phase(history::Phase::teardown).exit("orders", 10, 0);
  store_history(h, folder / "one.ndjson", {});
  const auto read = history::read_ndjson(text_of(folder / "one.ndjson"), "one.ndjson");
  ASSERT_TRUE(read.ok());
  const ScenarioResult live = judge(scenario, h), again = judge(scenario, *read);
  EXPECT_EQ(again.verdict, live.verdict);
  EXPECT_EQ(again.reason, live.reason);
  EXPECT_EQ(again.baseline, live.baseline);
  EXPECT_EQ(again.faults.at(0).reason, live.faults.at(0).reason);
  EXPECT_EQ(again.faults.at(0).first_hit, live.faults.at(0).first_hit);
  EXPECT_EQ(again.loads.at(0).by_status, live.loads.at(0).by_status);
  EXPECT_EQ(again.loads.at(0).latency.at(1).second.max_ms, live.loads.at(0).latency.at(1).second.max_ms);
  EXPECT_EQ(again.services.at(1).processes.at(0).exited, live.services.at(1).processes.at(0).exited);
}

TEST_F(StoreTest, NoSecretReachesTheFile) {
  const fs::path path = folder / "one.ndjson";
  store_history(telling("bad token t0k3n, really t0k3n, pass p\"w\\d é"), path,
                Secrets({"${env.TOKEN}", "p\"w\\d é"}, environment));
  const std::string text = text_of(path);
  EXPECT_NE(text.find("bad token ***, really ***, pass ***"), std::string::npos) << text;
  EXPECT_EQ(text.find("t0k3n"), std::string::npos);
  EXPECT_EQ(text.find("w\\\\d"), std::string::npos);
}

TEST_F(StoreTest, AFileThatCannotBeWrittenIsToldWithItsPath) {
  std::ofstream(folder / "file") << "in the way";
  try {
    store_history(telling(""), folder / "file" / "one.ndjson", {});
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find((folder / "file").string()), std::string::npos) << error.what();
  }
}

TEST(SecretsTest, OneThatIsPartOfAnotherLeavesNothingOfIt) {
  EXPECT_EQ(Secrets({"abc", "abcdef"}, environment).hidden("abcdef abc"), "*** ***");
}

TEST(SecretsTest, AnUnsetVariableHidesNothing) {
  EXPECT_EQ(Secrets({"${env.NOBODY}", ""}, environment).hidden("x ${env.NOBODY} y"), "x ${env.NOBODY} y");
}

TEST(SecretsTest, NoTextOfAResultKeepsOne) {
  ScenarioResult result;
  result.reason = "r t0k3n";
  result.description = "d t0k3n";
  result.baseline = "b t0k3n";
  result.waived = {{"exit", "w t0k3n"}};
  result.notes = {"n t0k3n"};
  result.services = {{.id = {"orders"}, .last_output = {"o t0k3n"}}};
  result.faults.push_back({.id = {"f"}, .reason = "f t0k3n"});
  result.faults[0].entry = json::object({{"with", json::object({{"message", "m t0k3n"}})}});
  CheckOutcome check;
  check.result = {.expected = "e t0k3n", .actual = "a t0k3n", .reason = "i t0k3n"};
  result.checks = {check};
  Secrets({"${env.TOKEN}"}, environment).hide_in(result);
  EXPECT_EQ(result.reason, "r ***");
  EXPECT_EQ(result.description, "d ***");
  EXPECT_EQ(result.baseline, "b ***");
  EXPECT_EQ(result.waived[0].second, "w ***");
  EXPECT_EQ(result.notes[0], "n ***");
  EXPECT_EQ(result.services[0].last_output[0], "o ***");
  EXPECT_EQ(result.faults[0].reason, "f ***");
  EXPECT_EQ(result.faults[0].entry.find("with")->find("message")->text, "m ***");
  EXPECT_EQ(result.checks[0].result.expected, "e ***");
  EXPECT_EQ(result.checks[0].result.actual, "a ***");
  EXPECT_EQ(result.checks[0].result.reason, "i ***");
}

TEST(FileNameTest, IsAPathWhateverTheIdHolds) {
  scenario::Scenario scenario = shop();
  scenario.variant = "delay=100ms,to=a/b";
  scenario.twin = scenario::Twin{.name = "no drain", .fails = {}};
  EXPECT_EQ(file_name_of(scenario), "shop_delay_100ms_to_a_b__no_drain");
}

}  // namespace
}  // namespace breakwire::run
