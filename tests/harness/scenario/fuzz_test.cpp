// Runs the fuzz target over its committed corpus, over the files of the other tests, and over slips made in
// them.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/rng.h"
#include "tests/harness/scenario/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace breakwire::scenario {
namespace {

void feed(const std::string& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::vector<std::string> texts_in(const std::string& folder) {
  std::vector<std::string> texts;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(BREAKWIRE_SOURCE_DIR "/tests/harness/scenario/" + folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());  // so that a seed finds the same text again
  for (const auto& path : paths) texts.push_back(read_disk(path).value_or(""));
  return texts;
}

TEST(FuzzTest, TheCorpusBreaksNothing) {
  const auto corpus = texts_in("corpus");
  ASSERT_GE(corpus.size(), 10u);
  for (const std::string& text : corpus) feed(text);
}

TEST(FuzzTest, SlipsInRightAndWrongFilesBreakNothing) {
  std::vector<std::string> texts = texts_in("corpus");
  for (const auto& folder : {"errors", "valid"}) {
    for (std::string& text : texts_in(folder)) texts.push_back(std::move(text));
  }
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    std::string text = texts[rng.next() % texts.size()];
    const std::string& other = texts[rng.next() % texts.size()];
    for (uint64_t slip = rng.next() % 4; slip > 0 && !text.empty(); --slip) {
      const size_t at = rng.next() % text.size();
      const size_t length = rng.next() % 12;
      switch (rng.next() % 4) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text[at] = static_cast<char>(rng.next());
          break;
        case 2:
          text.insert(at, text.substr(rng.next() % text.size(), length));
          break;
        default:
          text.insert(at, other.substr(other.empty() ? 0 : rng.next() % other.size(), length));
      }
    }
    feed(text);
  }
}

}  // namespace
}  // namespace breakwire::scenario
