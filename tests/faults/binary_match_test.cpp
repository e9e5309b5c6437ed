// Matching by metadata under keys in `-bin`, whichever way the value travels.
#include <gtest/gtest.h>

#include "tests/faults/fakes.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;
using namespace std::string_literals;

struct BinaryCase {
  std::string name, pattern, value;
  bool matches;
  friend void PrintTo(const BinaryCase& one, std::ostream* out) { *out << one.name; }
};
class BinaryMatchTest : public ::testing::TestWithParam<BinaryCase> {};

TEST_P(BinaryMatchTest, IsAboutTheBase64Form) {
  FaultSet set;
  set.arm(fault("f", at(Stage::headers, Hold{}), {.metadata = {{"x-data-bin", GetParam().pattern}}}),
          Instant{});
  const auto facts = call(1, {.metadata = {{"x-data-bin", GetParam().value}}});
  EXPECT_EQ(said(ask(set, facts)), GetParam().matches ? "hold" : "forward");
}

INSTANTIATE_TEST_SUITE_P(All, BinaryMatchTest,
                         ::testing::Values(BinaryCase{"the_text_itself", "AAEC", "AAEC", true},
                                           BinaryCase{"padding_in_the_pattern", "AAE=", "AAE", true},
                                           BinaryCase{"padding_in_the_value", "AA", "AA==", true},
                                           BinaryCase{"raw_of_three", "AAEC", "\0\0\1\2"s, true},
                                           BinaryCase{"raw_of_two", "AAE=", "\0\0\1"s, true},
                                           BinaryCase{"raw_of_one", "/w", "\0\xff"s, true},
                                           BinaryCase{"raw_of_none", "", "\0"s, true},
                                           BinaryCase{"any", "*", "\0\0\1\2"s, true},
                                           BinaryCase{"its_beginning", "AAE*", "\0\0\1\2"s, true},
                                           BinaryCase{"another", "AAED", "\0\0\1\2"s, false}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace breakwire::faults
