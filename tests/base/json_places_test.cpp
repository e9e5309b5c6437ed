// Every token knows where it stood: line and column from 1, letters not bytes, whatever stands around it.
#include <gtest/gtest.h>

#include "base/json.h"

namespace breakwire::json {
namespace {

Value parsed(const std::string& text) {
  auto value = parse(text, "a.json");
  EXPECT_TRUE(value.ok()) << (value.ok() ? "" : render(value.errors()));
  return value.ok() ? *value : Value();
}

std::string at(const Span& span) {
  const Place place = place_of(span);
  return std::to_string(place.line) + ":" + std::to_string(place.column) + "+" + std::to_string(place.length);
}

std::string source_of(const Span& span) {
  return span.source->text.substr(span.begin, span.end - span.begin);
}

TEST(JsonPlacesTest, KnowsThePlaceOfEveryKindOfToken) {
  const Value value = parsed(
      "{\n"
      "  \"text\": \"a \\\"b\\\\\",\n"
      "  \"number\": -12.5e+3 , \"yes\":true,\n"
      "  \"no\" : false, \"nothing\": null,\n"
      "  \"list\": [1, \"two\",[]],\n"
      "  \"object\": {\n"
      "    \"x\": 0}\n"
      "}\n");
  std::vector<std::string> places;
  for (const auto& member : value.members)
    places.push_back(at(member.key_span) + " " + at(member.value.span));
  EXPECT_EQ(places, (std::vector<std::string>{"2:3+6 2:11+9", "3:3+8 3:13+8", "3:24+5 3:30+4", "4:3+4 4:10+5",
                                              "4:17+9 4:28+4", "5:3+6 5:11+13", "6:3+8 6:13+1"}));
  EXPECT_EQ(at(value.find("list")->items[1].span), "5:15+5");
  EXPECT_EQ(at(value.find("list")->items[2].span), "5:21+2");
  EXPECT_EQ(at(value.find("object")->find("x")->span), "7:10+1");
  EXPECT_EQ(source_of(value.find("object")->span), "{\n    \"x\": 0}");
  EXPECT_EQ(at(value.span), "1:1+1");
}

TEST(JsonPlacesTest, AreNotMovedByCommentsThatLookLikeJson) {
  const Value value = parsed(
      "// { \"a\": [\n"
      "{ /* \"b\": 1, */ \"a\": // \"c\"\n"
      "  /* } */ 17, \"url\": \"http://x/*y*/\" } // ]");
  EXPECT_EQ(at(value.members[0].key_span), "2:17+3");
  EXPECT_EQ(at(value.find("a")->span), "3:11+2");
  EXPECT_EQ(value.find("url")->text, "http://x/*y*/");
  EXPECT_EQ(at(value.find("url")->span), "3:22+15");
}

TEST(JsonPlacesTest, CountLettersNotBytes) {
  const Value value = parsed("{ \"größe\": \"½ 😈\", \"b\": 2 }");
  EXPECT_EQ(at(value.find("größe")->span), "1:12+9") << "9 bytes, but column 12";
  EXPECT_EQ(place_of(value.find("b")->span).column, 24u);
  EXPECT_EQ(value.find("größe")->text, "½ 😈");
}

TEST(JsonPlacesTest, LeaveOutAByteOrderMark) {
  const Value value = parsed("\xEF\xBB\xBF{ \"a\": 1 }");
  EXPECT_EQ(at(value.span), "1:1+10");
  EXPECT_EQ(at(value.members[0].key_span), "1:3+3");
  EXPECT_EQ(error_at(value.members[0].key_span, "x").source_line, "{ \"a\": 1 }");
}

TEST(JsonPlacesTest, CountLinesOfDosFiles) {
  const Value value = parsed("{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n");
  EXPECT_EQ(at(value.find("b")->span), "3:8+1");
  EXPECT_EQ(error_at(value.find("b")->span, "x").source_line, "  \"b\": 2");
}

TEST(JsonPlacesTest, OfEscapesAreThoseOfTheirSource) {
  const Value value = parsed(R"({ "\u0061\"": "\n\\", "b": "\u00e4" })");
  EXPECT_EQ(at(value.find("a\"")->span), "1:15+6");
  EXPECT_EQ(at(value.find("b")->span), "1:28+8");
  EXPECT_EQ(value.find("b")->text, "ä");
}

TEST(JsonPlacesTest, OfValuesMadeInCodeAreNone) { EXPECT_EQ(place_of(Value("x").span), Place{}); }

TEST(JsonPlacesTest, NumbersKeepTheirLiteral) {
  EXPECT_EQ(parsed("[ 1.50, 18446744073709551615, -0 ]").items[0].text, "1.50");
  EXPECT_EQ(parsed("[ 1.50, 18446744073709551615, -0 ]").items[1].text, "18446744073709551615");
  EXPECT_EQ(parsed("-7").number, -7);
}

}  // namespace
}  // namespace breakwire::json
