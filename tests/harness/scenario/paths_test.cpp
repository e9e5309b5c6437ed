#include "harness/scenario/paths.h"

#include <gtest/gtest.h>

namespace breakwire::scenario {
namespace {

TEST(PathsTest, NormalPathsHaveNoDetours) {
  EXPECT_EQ(normal("a/../b/./c"), "b/c");
  EXPECT_EQ(normal("a//b/"), "a/b");
  EXPECT_EQ(normal("./a"), "a");
  EXPECT_EQ(normal("a/.."), ".");
  EXPECT_EQ(normal(""), ".");
  EXPECT_EQ(normal("../../a"), "../../a");
  EXPECT_EQ(normal("a/../../b"), "../b");
  EXPECT_EQ(normal("/../a"), "/a");
  EXPECT_EQ(normal("/"), "/");
}

TEST(PathsTest, PathsCountFromTheFolderOfTheirFile) {
  EXPECT_EQ(beside("scenarios/topology/shop.json", "../../services/schema.sql"), "services/schema.sql");
  EXPECT_EQ(beside("shop.json", "a.json"), "a.json");
  EXPECT_EQ(beside("/x/shop.json", "a.json"), "/x/a.json");
  EXPECT_EQ(beside("x/shop.json", "/a.json"), "/a.json");
}

TEST(PathsTest, TheStemIsTheNameAlone) {
  EXPECT_EQ(stem("a.b/no-fault.json"), "no-fault");
  EXPECT_EQ(stem("x"), "x");
  EXPECT_EQ(stem("a/x.y.json"), "x.y");
  EXPECT_EQ(stem(".hidden"), ".hidden");
}

}  // namespace
}  // namespace breakwire::scenario
