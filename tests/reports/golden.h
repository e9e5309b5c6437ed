// Golden files: tests/reports/golden/NAME, rewritten when BREAKWIRE_REWRITE_GOLDEN is set, reviewed as a
// diff.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace breakwire::reports {

inline std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void expect_golden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(BREAKWIRE_SOURCE_DIR) + "/tests/reports/golden/" + name;
  if (std::getenv("BREAKWIRE_REWRITE_GOLDEN")) std::ofstream(path, std::ios::binary) << actual;
  EXPECT_EQ(text_of(path), actual)
      << "if this is as it should be: BREAKWIRE_REWRITE_GOLDEN=1 and run the test again";
}

}  // namespace breakwire::reports
