// The JSON Schema and the parser agree; the judge of the schema is an independent validator.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/harness/scenario/files.h"

namespace breakwire::scenario {
namespace {

namespace fs = std::filesystem;

const std::string here = BREAKWIRE_SOURCE_DIR "/tests/harness/scenario/";

/// Judges documents by the schema, all in one go.
class SchemaTest : public testing::Test {
 protected:
  SchemaTest() {
    std::string pattern = testing::TempDir() + "breakwire-schema-XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a folder in " + testing::TempDir());
    folder_ = pattern;
    std::ofstream(folder_ / "schema") << json::write(scenario_schema());
  }
  ~SchemaTest() override { fs::remove_all(folder_); }

  void add(const std::string& name, const std::string& text) {
    const auto value = json::parse(text, name);  // without its comments, which JSON does not have
    ASSERT_TRUE(value.ok()) << render(value.errors());
    std::ofstream(folder_ / name) << json::write(*value);
    names_.push_back(name);
  }

  /// name -> "ok", or why it was refused
  std::map<std::string, std::string> judge() {
    std::string command =
        "cd '" + folder_.string() + "' && /usr/bin/python3 '" + here + "validate.py' schema";
    for (const std::string& name : names_) command += " '" + name + "'";
    const int status = std::system((command + " > answers 2> trouble").c_str());
    const int code = WEXITSTATUS(status);
    EXPECT_NE(code, 3)
        << "this test needs the Debian package python3-jsonschema: apt install python3-jsonschema";
    EXPECT_EQ(code, 0) << read_disk(folder_ / "trouble").value_or("");
    std::map<std::string, std::string> answers;
    std::istringstream lines(read_disk(folder_ / "answers").value_or(""));
    for (std::string word, rest; lines >> word && std::getline(lines >> std::ws, rest);)
      answers[rest.substr(0, rest.find(':'))] = word == "ok" ? "ok" : rest;
    return answers;
  }

 private:
  fs::path folder_;
  std::vector<std::string> names_;
};

std::vector<fs::path> files_in(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST_F(SchemaTest, AcceptsWhatTheParserAccepts) {
  std::vector<fs::path> files = files_in(here + "valid");
  for (const auto& file : files) {
    const auto read = read_scenarios(file, read_disk);
    EXPECT_TRUE(read.ok()) << render(read.errors());
    add(file.filename(), *read_disk(file));
  }
  for (const auto& file : files_in(BREAKWIRE_SOURCE_DIR "/scenarios")) {
    add("ours-" + file.filename().string(), *read_disk(file));
  }
  for (const auto& file : files_in(BREAKWIRE_SOURCE_DIR "/scenarios/topology"))
    add("part-" + file.filename().string(), *read_disk(file));
  ASSERT_GT(files.size(), 2u);
  const auto answers = judge();
  EXPECT_GT(answers.size(), files.size());
  for (const auto& [name, answer] : answers) EXPECT_EQ(answer, "ok") << name;
}

TEST_F(SchemaTest, RefusesWhatTheParserRefuses) {
  const std::string fault = R"("id": "f", "at": "1s", )";
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"unknown-key", R"("tmeline": [])"},
      {"seed", R"("seed": "5")"},
      {"name", R"("name": "With Blanks")"},
      {"timeout", R"("timeout": 60)"},
      {"baseline", R"("baseline": { "none": "" })"},
      {"waive", R"("waive": { "no_such_check": "why" })"},
      {"twin-without-fails", R"("twins": { "a": { "vars": {} } })"},
      {"matrix", R"("matrix": { "a": [] })"},
      {"edge-protocol", R"("edges": { "client->shop": { "protocol": "udp" } })"},
      {"edge-name", R"("edges": { "client=>shop": {} })"},
      {"service-of-two-kinds", R"("services": { "a": { "run": ["a"], "external": "127.0.0.1:5" } })"},
      {"service-signal", R"("services": { "a": { "run": ["a"], "stop": { "signal": "TERM" } } })"},
      {"load-without-end", R"("load": { "a": { "via": "client->shop", "method": "s.Shop/Buy" } })"},
      {"load-rate",
       R"("load": { "a": { "via": "client->shop", "method": "s.Shop/Buy", "for": "1s", "rate": 5 } })"},
      {"load-method", R"("load": { "a": { "via": "client->shop", "method": "/s.Shop/Buy", "for": "1s" } })"},
      {"fault-kind", R"("timeline": [ { )" + fault + R"("on": "client->shop", "fault": "latncy" } ])"},
      {"fault-parameter", R"("timeline": [ { )" + fault +
                              R"("on": "client->shop", "fault": "latency", "with": { "dely": "1s" } } ])"},
      {"fault-without-parameters",
       R"("timeline": [ { )" + fault + R"("on": "client->shop", "fault": "latency" } ])"},
      {"fault-duration", R"("timeline": [ { )" + fault +
                             R"("on": "client->shop", "fault": "latency", "with": { "delay": 5 } } ])"},
      {"fault-code", R"("timeline": [ { )" + fault +
                         R"("on": "client->shop", "fault": "grpc_status", "with": { "code": 14 } } ])"},
      {"fault-match", R"("timeline": [ { )" + fault +
                          R"("on": "client->shop", "fault": "stall", "match": { "method": "a/b" } } ])"},
      {"process-match", R"("timeline": [ { )" + fault + R"("on": "shop", "fault": "kill", "match": {} } ])"},
      {"kill-for", R"("timeline": [ { )" + fault + R"("on": "shop", "fault": "kill", "for": "1s" } ])"},
      {"at-and-when", R"("timeline": [ { )" + fault +
                          R"("on": "shop", "fault": "kill", "when": { "exit": { "service": "shop" } } } ])"},
      {"neither", R"("timeline": [ { "id": "f", "on": "shop", "fault": "kill" } ])"},
      {"must-fire", R"("timeline": [ { )" + fault + R"("on": "shop", "fault": "kill", "must_fire": 0 } ])"},
      {"check-kind", R"("expect": [ { "check": "runing", "service": "shop" } ])"},
      {"check-parameter", R"("expect": [ { "check": "running", "service": "shop", "within": "1s" } ])"},
      {"check-without-service", R"("expect": [ { "check": "running" } ])"},
      {"two-windows",
       R"("timeline": [ { )" + fault + R"("for": "1s", "on": "client->shop", "fault": "stall" } ],
                         "expect": [ { "check": "running", "service": "shop", "during": "f", "after": "f" } ])"},
  };
  for (const auto& [name, more] : wrong) {
    Files files = with_shop(more);
    // A section that the shop has too takes its place.
    const auto root = json::parse("{" + more + "}", name);
    ASSERT_TRUE(root.ok()) << render(root.errors());
    json::Value document = *json::parse("{ \"version\": 1," + small_shop + "}", name);
    for (const auto& member : root->members) document.set(member.key, member.value);
    files["test.json"] = json::write(document);
    EXPECT_NE(errors_of(files), "") << name;
    add(name, files["test.json"]);
  }
  add("version-missing", "{" + small_shop + "}");
  add("version-unknown", "{ \"version\": 2, " + small_shop + "}");
  const auto answers = judge();
  EXPECT_EQ(answers.size(), wrong.size() + 2);
  for (const auto& [name, answer] : answers) EXPECT_NE(answer, "ok") << name;
}

/// Editors show descriptions; a field without one is a field that nobody can use.
void expect_descriptions(const json::Value& schema, const std::string& path) {
  for (const auto& member : schema.members) {
    if (member.key == "if" || member.key == "required") continue;
    if (member.key == "properties") {
      for (const auto& property : member.value.members) {
        if (property.value.is(json::Kind::boolean))
          continue;  // allowed here, described elsewhere; or forbidden
        EXPECT_NE(property.value.find("description"), nullptr) << path << "/" << property.key;
        expect_descriptions(property.value, path + "/" + property.key);
      }
    } else {
      expect_descriptions(member.value, path + "/" + member.key);
    }
  }
  for (const auto& item : schema.items) expect_descriptions(item, path + "[]");
}

TEST(SchemaTextTest, IsPublishedBesideTheScenarios) {
  const std::string published = BREAKWIRE_SOURCE_DIR "/scenario.schema.json";
  const std::string text = json::write(scenario_schema()) + "\n";
  if (std::getenv("BREAKWIRE_UPDATE_GOLDEN")) std::ofstream(published) << text;
  EXPECT_TRUE(read_disk(published) == text)
      << "rewrite it: build/dev/bin/breakwire schema scenario > scenario.schema.json";
}

TEST(SchemaTextTest, DescribesEveryField) { expect_descriptions(scenario_schema(), ""); }

TEST(FormatTest, TellsEveryPartAndField) {
  size_t fields = 0;
  for (const FormatPart& part : scenario_format()) {
    EXPECT_FALSE(part.fields.empty()) << part.name;
    for (const FieldInfo& field : part.fields) {
      EXPECT_FALSE(field.doc.empty()) << part.name << "." << field.name;
      ++fields;
    }
  }
  EXPECT_GT(fields, 60u);
}

/// What kinds show as their examples must be right in a scenario, too.
class ExamplesTest : public testing::Test {
 protected:
  static constexpr const char* topology = R"("services": {
      "db": { "postgres": {} }, "inventory": { "run": ["i"] }, "payments": { "run": ["p"] }, 
      "orders": { "run": ["o"], "log": {}, "metrics": "http://127.0.0.1:9090/metrics" },
      "storefront": { "run": ["s"] } },
    "edges": { "client->storefront": {}, "storefront->orders": {}, "orders->inventory": {}, "orders->payments": {},
               "inventory->db": {} },
    "load": { "shoppers": { "via": "client->storefront", "method": "shop.v1.StorefrontService/PlaceOrder", "for": "5s" },
              "browsers": { "via": "client->storefront", "method": "shop.v1.StorefrontService/ListSpecials", "for": "5s" } })";
};

TEST_F(ExamplesTest, OfFaultsAreRight) {
  for (const auto& kind : faults::fault_kinds()) {
    EXPECT_EQ(errors_of({{"test.json",
                          "{ \"version\": 1, \"timeline\": [ " + kind.example + " ], " + topology + "}"}}),
              "")
        << kind.name;
  }
}

TEST_F(ExamplesTest, OfChecksAreRight) {
  for (const auto& kind : checks::check_kinds()) {
    // The faults whose windows they name.
    std::string timeline;
    const auto example = json::parse(kind.example, kind.name);
    ASSERT_TRUE(example.ok()) << render(example.errors());
    for (auto key : {"during", "before", "after"}) {
      if (const json::Value* fault = example->find(key)) {
        const std::string id = fault->text.substr(0, fault->text.find('.'));
        timeline = R"({ "id": ")" + id +
                   R"(", "at": "1s", "for": "1s", "on": "orders->inventory", "fault": "stall" })";
      }
    }
    EXPECT_EQ(errors_of({{"test.json", "{ \"version\": 1, \"timeline\": [ " + timeline +
                                           " ], \"expect\": [ " + kind.example + " ], " + topology + "}"}}),
              "")
        << kind.name;
  }
}

}  // namespace
}  // namespace breakwire::scenario
