// Every example in docs/scenarios.md is a file the parser takes: what a reader copies works.
#include <gtest/gtest.h>

#include "tests/harness/scenario/files.h"

namespace breakwire::scenario {
namespace {

struct Example {
  size_t line = 0;  // of the page
  std::string text;
};

std::vector<Example> examples_of(const std::string& page) {
  std::vector<Example> found;
  std::istringstream lines(page);
  size_t number = 0;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!inside && line == "```json") {
      inside = true;
      found.push_back({number + 1, ""});
    } else if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      found.back().text += line + "\n";
    }
  }
  return found;
}

class ScenarioPageTest : public testing::Test {
 protected:
  ScenarioPageTest() {
    const auto page = read_disk(BREAKWIRE_SOURCE_DIR "/docs/scenarios.md");
    if (page) examples = examples_of(*page);
  }

  /// The page says that its first example is topology.json, which the others include.
  Result<std::vector<Scenario>> read(const Example& example) const {
    const Files files{{"topology.json", examples.front().text},
                      {"example.json", example.text},
                      {"schema.sql", ""},
                      {"proto/shop.proto", ""}};
    return read_scenarios("example.json", reader(files));
  }

  std::vector<Example> examples;
};

TEST_F(ScenarioPageTest, EveryExampleIsRead) {
  ASSERT_GE(examples.size(), 8u);
  for (size_t i = 1; i < examples.size(); ++i) {
    const auto scenarios = read(examples[i]);
    EXPECT_TRUE(scenarios) << "docs/scenarios.md:" << examples[i].line << "\n" << render(scenarios.errors());
  }
}

TEST_F(ScenarioPageTest, AnExampleThatIsWrongWouldBeNoticed) {
  ASSERT_GE(examples.size(), 2u);
  Example wrong = examples[1];
  const size_t at = wrong.text.find("\"deadline\"");
  ASSERT_NE(at, std::string::npos);
  wrong.text.replace(at, 10, "\"deadlime\"");
  EXPECT_FALSE(read(wrong));
}

TEST_F(ScenarioPageTest, TheMatrixIsAsManyScenariosAsThePageSays) {
  for (const Example& example : examples) {
    if (example.text.find("\"matrix\"") == std::string::npos) continue;
    const auto scenarios = read(example);
    ASSERT_TRUE(scenarios);
    ASSERT_EQ(scenarios->size(), 4u);
    EXPECT_EQ(scenarios->front().variant, "delay=10ms,rate=20/s");
    return;
  }
  FAIL() << "no example has a matrix";
}

}  // namespace
}  // namespace breakwire::scenario
