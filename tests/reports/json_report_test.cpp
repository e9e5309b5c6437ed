// report.json against its published schema, judged by a validator that is not ours.
#include "reports/json_report.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "tests/reports/results.h"

namespace breakwire::reports {
namespace {

namespace fs = std::filesystem;

struct Ran {
  int code = -1;
  std::string output;
};
Ran ran(const std::string& command) {
  Ran result;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) result.output.append(buffer, n);
  const int status = ::pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

class JsonReportTest : public testing::Test {
 protected:
  JsonReportTest() {
    std::string made = (fs::temp_directory_path() / "report-test-XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
  }
  ~JsonReportTest() override { fs::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  /// Debian's python has Debian's modules; another may come first on PATH.
  Ran validate(const std::string& arguments) {
    return ran("/usr/bin/python3 " BREAKWIRE_SOURCE_DIR "/tests/reports/validate.py " + arguments);
  }
  std::string schema() { return file("schema.json", json::write(report_schema())); }

 private:
  fs::path folder_;
};

TEST_F(JsonReportTest, ARichReportKeepsToTheSchema) {
  const Ran result = validate(schema() + " " + file("report.json", json_report(rich_run())));
  EXPECT_EQ(result.code, 0) << result.output;
}

TEST_F(JsonReportTest, ARunWithoutScenariosKeepsToTheSchema) {
  const Ran result = validate(schema() + " " + file("report.json", json_report({})));
  EXPECT_EQ(result.code, 0) << result.output;
}

TEST_F(JsonReportTest, TheSchemaRefusesEveryMutantOfARichReport) {
  const Ran result = validate("--mutants " + schema() + " " + file("report.json", json_report(rich_run())));
  EXPECT_EQ(result.code, 0) << result.output;
}

TEST_F(JsonReportTest, TheSchemaRefusesOtherFormatsAndVersions) {
  auto report = to_json(rich_run());
  report.set("format", "another.report");
  EXPECT_EQ(validate(schema() + " " + file("a.json", json::write(report))).code, 1);
  report = to_json(rich_run());
  report.set("version", "2.0.0");
  EXPECT_EQ(validate(schema() + " " + file("b.json", json::write(report))).code, 1);
  report.set("version", "1.7.3");
  EXPECT_EQ(validate(schema() + " " + file("c.json", json::write(report))).code, 0)
      << "a later minor version";
}

TEST_F(JsonReportTest, EveryKeyOfTheSchemaHasMeaningAndUnit) {
  // What is a time says so in its name; nothing else ends like one.
  const auto walk = [](const auto& self, const json::Value& schema, const std::string& key) -> void {
    if (const auto* properties = schema.find("properties")) {
      for (const auto& member : properties->members) self(self, member.value, member.key);
    }
    if (const auto* items = schema.find("items")) self(self, *items, key);
    const auto* type = schema.find("type");
    const std::string text = type ? json::write_line(*type) : "";
    const bool time = key.ends_with("_ms") || key.ends_with("_us");
    if (time && text.find("object") == std::string::npos) {
      EXPECT_NE(text.find("number"), std::string::npos) << key;
    }
    if (!time && key != "latency") {
      EXPECT_EQ(text.find("number"), std::string::npos) << key << " is a number without a unit";
    }
  };
  walk(walk, report_schema(), "");
}

TEST_F(JsonReportTest, NumbersKeepTheirMeaning) {
  const auto report = json::parse(json_report(rich_run()), "report.json");
  ASSERT_TRUE(report.ok());
  const auto& scenarios = report->find("scenarios")->items;
  EXPECT_EQ(scenarios[0].find("seed")->text, "18446744073709551615") << "a seed is exact";
  const auto& failed = scenarios[1];
  EXPECT_EQ(failed.find("took_ms")->text, "4200");
  EXPECT_EQ(failed.find("phases")->items[0].find("began_ms")->text, "-300");
  EXPECT_EQ(failed.find("services")->items[0].find("processes")->items[1].find("exited_ms")->kind,
            json::Kind::null);
  EXPECT_EQ(failed.find("services")->items[0].find("processes")->items[0].find("exit_code")->text, "1");
  const auto& load = failed.find("load")->items[0];
  EXPECT_EQ(load.find("by_status")->find("UNAVAILABLE")->text, "2");
  EXPECT_EQ(load.find("latency")->find("baseline")->find("max_ms")->text, "9") << "microseconds are enough";
  EXPECT_EQ(failed.find("relay_overhead")->find("p50_us")->text, "41.3");
  EXPECT_EQ(report->find("summary")->find("verdict")->text, "error");
  EXPECT_EQ(report->find("summary")->find("passed")->text, "2");
}

TEST_F(JsonReportTest, WhatAServicePrintedIsTextWhateverItWas) {
  const std::string text = json_report(rich_run());
  EXPECT_NE(text.find("bytes \uFFFD\uFFFD that are no text"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace breakwire::reports
