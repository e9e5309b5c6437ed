// What is wrong with a text that is not JSON, or says a thing twice.
#include <gtest/gtest.h>

#include "base/json.h"

namespace breakwire::json {
namespace {

ErrorList errors_of(const std::string& text) {
  auto value = parse(text, "a.json");
  return value.ok() ? ErrorList{} : value.errors();
}

struct SyntaxCase {
  std::string name, text;
  size_t line, column, length;
  std::string says;
};
class JsonSyntaxTest : public ::testing::TestWithParam<SyntaxCase> {};

TEST_P(JsonSyntaxTest, IsReportedAtTheTokenThatBreaksIt) {
  const auto& c = GetParam();
  const ErrorList errors = errors_of(c.text);
  ASSERT_EQ(errors.size(), 1u);
  const Error& error = errors[0];
  EXPECT_EQ(error.where.line, c.line) << render(error);
  EXPECT_EQ(error.where.column, c.column) << render(error);
  EXPECT_EQ(error.where.length, c.length) << render(error);
  EXPECT_NE(error.what.find(c.says), std::string::npos) << error.what;
  EXPECT_TRUE(error.what.starts_with("not JSON: ")) << error.what;
  EXPECT_EQ(error.what.find("json.exception"), std::string::npos) << error.what;
  EXPECT_EQ(error.what.find("last read"), std::string::npos) << error.what;
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonSyntaxTest,
    ::testing::Values(SyntaxCase{"comma_before_brace", "{\n  \"a\": 1,\n}", 3, 1, 1, "unexpected '}'"},
                      SyntaxCase{"comma_before_bracket", "[1, 2, ]", 1, 8, 1, "unexpected ']'"},
                      SyntaxCase{"missing_comma", "{ \"a\": 1\n  \"bcd\": 2 }", 2, 3, 5, "unexpected string"},
                      SyntaxCase{"missing_colon", "{ \"a\" \"bc\" }", 1, 7, 4, "unexpected string"},
                      SyntaxCase{"misspelt_literal", "{ \"a\": ture }", 1, 8, 4, "invalid literal"},
                      SyntaxCase{"single_quotes", "{ 'a': 1 }", 1, 3, 1, "invalid literal"},
                      SyntaxCase{"stray_sign", "[ @ ]", 1, 3, 1, "invalid literal"},
                      SyntaxCase{"two_values", "{} {}", 1, 4, 1, "unexpected '{'"},
                      SyntaxCase{"unclosed", "{ \"a\": [1, 2\n", 2, 1, 1, "unexpected end of input"},
                      SyntaxCase{"unclosed_string", "{ \"a\": \"bc\n}", 1, 8, 3, "control character"},
                      SyntaxCase{"empty", "", 1, 1, 1, "unexpected end of input"},
                      SyntaxCase{"only_a_comment", "// nothing", 1, 11, 1, "unexpected end of input"},
                      SyntaxCase{"unclosed_comment", "{ /* \n", 2, 1, 1, "comment"},
                      SyntaxCase{"huge_number", "[ 1e999 ]", 1, 3, 5, "out of range"},
                      SyntaxCase{"bad_escape", R"([ "\q" ])", 1, 3, 4, "invalid string"}),
    [](const auto& tested) { return tested.param.name; });

TEST(JsonErrorsTest, SayThatACommaIsTooMuch) {
  EXPECT_EQ(
      render(errors_of("{\n  \"a\": 1,\n}")),
      "error: not JSON: syntax error while parsing object key - unexpected '}'; expected string literal\n"
      " --> a.json:3:1\n"
      "  |\n"
      "3 | }\n"
      "  | ^ remove the comma before it\n");
  EXPECT_EQ(errors_of("[1 2]")[0].hint, "");
}

TEST(JsonErrorsTest, RefuseTextThatIsNotUtf8AtItsPlace) {
  const ErrorList errors = errors_of("{ \"a\": \"x\xFFy\" }");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].where.column, 8u);
  EXPECT_NE(errors[0].what.find("UTF-8"), std::string::npos) << errors[0].what;
}

TEST(JsonErrorsTest, ReportEveryDuplicateKeyWithBothPlaces) {
  const ErrorList errors = errors_of("{ \"a\": 1, \"b\": { \"c\": 1, \"c\": 2 },\n  \"a\": 2, \"a\": 3 }");
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(render(errors[0]),
            "error: duplicate key `c`\n"
            " --> a.json:1:26\n"
            "  |\n"
            "1 | { \"a\": 1, \"b\": { \"c\": 1, \"c\": 2 },\n"
            "  |                          ^^^ remove one of the two\n"
            "  = see also a.json:1:18\n");
  EXPECT_EQ(errors[1].where.line, 2u);
  EXPECT_EQ(errors[1].also[0].column, 3u);
  EXPECT_EQ(errors[2].where.column, 11u);
}

TEST(JsonErrorsTest, AllowTheSameKeyInDifferentObjects) {
  EXPECT_TRUE(errors_of(R"([{ "a": 1 }, { "a": { "a": 2 } }])").empty());
}

TEST(JsonErrorsTest, OfSyntaxHidesThoseOfDuplicates) {
  const ErrorList errors = errors_of(R"({ "a": 1, "a": 2, })");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(errors[0].what.starts_with("not JSON"));
}

TEST(JsonErrorsTest, EndNestingBeforeTheStackDoes) {
  EXPECT_TRUE(errors_of(std::string(200, '[') + std::string(200, ']')).empty());
  const ErrorList errors = errors_of(std::string(1'000'000, '['));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].what.find("nested"), std::string::npos);
  EXPECT_EQ(errors[0].where.column, 257u);
}

}  // namespace
}  // namespace breakwire::json
