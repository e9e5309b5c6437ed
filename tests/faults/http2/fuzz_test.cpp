// Runs the fuzz target over its committed corpus and over random inputs of its own making.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace breakwire::http2::testing {
namespace {

TEST(FuzzTest, TheCorpusBreaksNothing) {
  size_t inputs = 0;
  const std::filesystem::path corpus =
      std::filesystem::path(BREAKWIRE_SOURCE_DIR) / "tests/faults/http2/corpus";
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    ++inputs;
  }
  EXPECT_GE(inputs, 10u);
}

TEST(FuzzTest, RandomInputsBreakNothing) {
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    Rng rng(seed);
    std::string bytes(rng.next() % 400, '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.next());
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
}

}  // namespace
}  // namespace breakwire::http2::testing
