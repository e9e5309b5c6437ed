#include "harness/scenario/placeholders.h"

#include <gtest/gtest.h>

namespace breakwire::scenario {
namespace {

std::optional<std::string> lookup(std::string_view name) {
  if (name == "bin") return "/opt/bin";
  if (name == "a->b.port") return "80";
  if (name == "loop") return "${bin}";
  return std::nullopt;
}

struct ExpandCase {
  std::string name, text, expanded;
  std::vector<std::string> unknown = {};
};
class ExpandTest : public testing::TestWithParam<ExpandCase> {};

TEST_P(ExpandTest, FillsInWhatIsKnown) {
  std::vector<std::string> unknown;
  EXPECT_EQ(expand(GetParam().text, lookup, &unknown), GetParam().expanded);
  EXPECT_EQ(unknown, GetParam().unknown);
}

INSTANTIATE_TEST_SUITE_P(Texts, ExpandTest,
                         testing::Values(ExpandCase{"Nothing", "", ""},
                                         ExpandCase{"Plain", "a $ b {c} }", "a $ b {c} }"},
                                         ExpandCase{"Whole", "${bin}", "/opt/bin"},
                                         ExpandCase{"Inside", "x=${bin}/y:${a->b.port}", "x=/opt/bin/y:80"},
                                         ExpandCase{"Unknown", "${nix} ${bin}", "${nix} /opt/bin", {"nix"}},
                                         ExpandCase{"Escaped", "$${bin} $${x", "${bin} ${x"},
                                         ExpandCase{"DollarBefore", "$$ ${bin}", "$$ /opt/bin"},
                                         ExpandCase{"Unclosed", "${bin", "${bin"},
                                         ExpandCase{"EmptyName", "${}", "${}", {""}},
                                         ExpandCase{"ValuesAreNotExpandedAgain", "${loop}", "${bin}"}),
                         [](const auto& text) { return text.param.name; });

TEST(UsesTest, TellNamesAndOffsetsInOrder) {
  const auto all = uses("a ${b} $${c} ${d->e.port}");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "b");
  EXPECT_EQ(all[0].offset, 2u);
  EXPECT_EQ(all[1].name, "d->e.port");
  EXPECT_EQ(all[1].offset, 13u);
}

TEST(UnclosedTest, FindsABraceThatNothingCloses) {
  EXPECT_EQ(unclosed("a ${b} ${c"), 7u);
  EXPECT_EQ(unclosed("${b} $${c"), std::nullopt);
  EXPECT_EQ(unclosed("${b}"), std::nullopt);
  EXPECT_EQ(unclosed(""), std::nullopt);
}

}  // namespace
}  // namespace breakwire::scenario
