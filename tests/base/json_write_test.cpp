#include <gtest/gtest.h>

#include "base/json.h"

namespace breakwire::json {
namespace {

TEST(JsonWriteTest, KeepsShortListsAndObjectsOnOneLine) {
  const Value value =
      object({{"name", "x"},
              {"codes", strings({"OK", "ABORTED"})},
              {"inner", object({{"deep", object({{"a", 1}, {"b", true}})}, {"none", Value()}})},
              {"empty", object()},
              {"list", array()}});
  EXPECT_EQ(write(value),
            "{\n"
            "  \"name\": \"x\",\n"
            "  \"codes\": [\"OK\", \"ABORTED\"],\n"
            "  \"inner\": {\n"
            "    \"deep\": {\"a\": 1, \"b\": true},\n"
            "    \"none\": null\n"
            "  },\n"
            "  \"empty\": {},\n"
            "  \"list\": []\n"
            "}");
  EXPECT_EQ(
      write_line(value),
      "{\"name\": \"x\", \"codes\": [\"OK\", \"ABORTED\"], \"inner\": {\"deep\": {\"a\": 1, \"b\": true}, "
      "\"none\": null}, \"empty\": {}, \"list\": []}");
}

TEST(JsonWriteTest, WritesNumbersSoThatTheyReadBack) {
  EXPECT_EQ(write_line(array({0, -7, 1.5, 0.1, 1e300, uint64_t{18446744073709551615u}, int64_t{-1}, 3.0})),
            "[0, -7, 1.5, 0.1, 1e+300, 18446744073709551615, -1, 3]");
  EXPECT_EQ(write_line(Value(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(write_line(Value(std::numeric_limits<double>::quiet_NaN())), "null");
}

TEST(JsonWriteTest, EscapesWhatJsonWants) {
  EXPECT_EQ(write_line(Value(std::string("a\"b\\c\n\r\t\x01\x7f/ä😈\0z", 19))),
            "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f/ä😈\\u0000z\"");
}

struct BytesCase {
  std::string name, bytes, written;
};
class JsonBytesTest : public ::testing::TestWithParam<BytesCase> {};

// Log lines and GOAWAY debug data are anyone's bytes; a report must be UTF-8 all the same.
TEST_P(JsonBytesTest, BecomeReplacementCharactersWhereTheyAreNotUtf8) {
  EXPECT_EQ(write_line(Value(GetParam().bytes)), "\"" + GetParam().written + "\"");
  EXPECT_TRUE(parse(write_line(Value(GetParam().bytes)), "x").ok());
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonBytesTest,
    ::testing::Values(BytesCase{"stray", "a\xFFz", "a\uFFFDz"}, BytesCase{"continuation", "\x80", "\uFFFD"},
                      BytesCase{"cut_short", "a\xE2\x82", "a\uFFFD\uFFFD"},
                      BytesCase{"overlong", "\xC0\xAF", "\uFFFD\uFFFD"},
                      BytesCase{"surrogate", "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
                      BytesCase{"too_high", "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
                      BytesCase{"good", "ä€😈", "ä€😈"}),
    [](const auto& tested) { return tested.param.name; });

TEST(JsonWriteTest, ReadsBackWhatItWrote) {
  const std::string text = R"({"a": [1, {"b": "x\ny"}, [], [[true, null]]], "c": {"d": {"e": -1.25e-7}}})";
  const Value value = *parse(text, "x");
  EXPECT_EQ(write_line(*parse(write(value), "x")), write_line(value));
  EXPECT_EQ(write_line(value), text);
}

TEST(JsonValueTest, ReplacesOrAppendsMembersInOrder) {
  Value value = object({{"b", 1}});
  value.set("a", 2).set("b", 3);
  EXPECT_EQ(write_line(value), R"({"b": 3, "a": 2})");
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(value.find("a")->number, 2);
}

}  // namespace
}  // namespace breakwire::json
