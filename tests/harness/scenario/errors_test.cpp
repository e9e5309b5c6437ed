// Every wrong file in errors/ and what a person is told about it. BREAKWIRE_UPDATE_GOLDEN=1 rewrites the
// answers.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "tests/harness/scenario/files.h"

namespace breakwire::scenario {
namespace {

const std::string folder = BREAKWIRE_SOURCE_DIR "/tests/harness/scenario/errors/";

std::vector<std::string> wrong_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

ErrorList errors_in(const std::string& name) {
  // Names in the answers are those in the folder, wherever the tree lies.
  const auto read =
      read_scenarios(name + ".json", [](const std::string& path) { return read_disk(folder + path); });
  return read ? ErrorList{} : read.errors();
}

class WrongFileTest : public testing::TestWithParam<std::string> {};

TEST_P(WrongFileTest, IsToldAboutAllOfItsMistakes) {
  const std::string answer = render(errors_in(GetParam()));
  ASSERT_NE(answer, "") << "the file is right";
  const std::string golden = folder + GetParam() + ".expected";
  if (std::getenv("BREAKWIRE_UPDATE_GOLDEN")) {
    std::ofstream(golden) << answer;
    return;
  }
  EXPECT_EQ(answer, read_disk(golden).value_or(""))
      << "if this is meant: BREAKWIRE_UPDATE_GOLDEN=1 rewrites " << golden;
}

INSTANTIATE_TEST_SUITE_P(Errors, WrongFileTest, testing::ValuesIn(wrong_files()), [](const auto& file) {
  std::string name = file.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(WrongFilesTest, EveryErrorSaysWhereAndHasAPlaceOfItsOwn) {
  std::set<std::string> mistakes;
  for (const std::string& name : wrong_files()) {
    std::set<std::pair<std::string, size_t>> places;
    for (const Error& error : errors_in(name)) {
      EXPECT_GT(error.where.line, 0u) << render(error);
      EXPECT_FALSE(error.source_line.empty()) << render(error);
      places.emplace(error.where.file, error.where.offset);
      // The sentence without the names in it.
      std::string sentence;
      bool quoted = false;
      for (char c : error.what) {
        if (c == '`') quoted = !quoted;
        if (!quoted) sentence += c;
      }
      mistakes.insert(sentence);
    }
  }
  EXPECT_GE(mistakes.size(), 80u);
}

TEST(WrongFilesTest, AFileThatCannotBeReadIsToldByItsName) {
  const auto read = read_scenarios("nowhere.json", reader({}));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(render(read.errors()), "error: cannot read `nowhere.json`\n--> nowhere.json\n");
}

}  // namespace
}  // namespace breakwire::scenario
