#include "harness/history/series.h"

#include <gtest/gtest.h>

namespace breakwire::history {
namespace {

struct SeriesCase {
  std::string name, text;
  std::optional<Series> series;
  std::string rest;
};
class SeriesTest : public testing::TestWithParam<SeriesCase> {};

TEST_P(SeriesTest, IsReadFromTheBeginOfAText) {
  std::string_view text = GetParam().text;
  EXPECT_EQ(read_series(text), GetParam().series);
  if (GetParam().series) {
    EXPECT_EQ(text, GetParam().rest);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, SeriesTest,
    testing::Values(SeriesCase{"Bare", "up 1", Series{"up", {}}, " 1"},
                    SeriesCase{"Labels", R"(x_total{code="OK",method="Get"} 3)",
                               Series{"x_total", {{"code", "OK"}, {"method", "Get"}}}, " 3"},
                    SeriesCase{"NoLabelsInBraces", "x{} 3", Series{"x", {}}, " 3"},
                    SeriesCase{"Blanks", "x { a = \"b\" , } 3", Series{"x", {{"a", "b"}}}, " 3"},
                    SeriesCase{"Escapes", R"(x{a="\"\\\n}"} 3)", Series{"x", {{"a", "\"\\\n}"}}}, " 3"},
                    SeriesCase{"Colons", "job:x:rate5m 3", Series{"job:x:rate5m", {}}, " 3"},
                    SeriesCase{"Nothing", "", std::nullopt, ""},
                    SeriesCase{"Html", "<html>", std::nullopt, ""},
                    SeriesCase{"Digit", "1x 3", std::nullopt, ""},
                    SeriesCase{"NoValue", "x{a} 3", std::nullopt, ""},
                    SeriesCase{"NoQuote", "x{a=b} 3", std::nullopt, ""},
                    SeriesCase{"OpenQuote", R"(x{a="b} 3)", std::nullopt, ""},
                    SeriesCase{"OpenBrace", R"(x{a="b")", std::nullopt, ""},
                    SeriesCase{"NoComma", R"(x{a="b"c="d"} 3)", std::nullopt, ""}),
    [](const auto& param) { return param.param.name; });

TEST(SeriesSelectionTest, ComparesTheNameAndTheLabelsThatAreWished) {
  const Series seen{"x", {{"code", "OK"}, {"method", "GetStock"}}};
  EXPECT_TRUE(selects({"x", {}}, seen));
  EXPECT_TRUE(selects({"x", {{"code", "OK"}}}, seen));
  EXPECT_TRUE(selects({"x", {{"method", "Get*"}}}, seen));
  EXPECT_FALSE(selects({"x", {{"code", "Unavailable"}}}, seen));
  EXPECT_FALSE(selects({"x", {{"code", "OK"}, {"peer", "*"}}}, seen));
  EXPECT_FALSE(selects({"x_total", {}}, seen));
}

TEST(SeriesTextTest, IsReadAsWhatItWasWrittenFrom) {
  const Series series{"x", {{"a", "1\"2\\3\n4"}, {"b", ""}}};
  const std::string text = to_text(series);
  EXPECT_EQ(text, R"(x{a="1\"2\\3\n4",b=""})");
  std::string_view rest = text;
  EXPECT_EQ(read_series(rest), series);
  EXPECT_EQ(to_text(Series{"up", {}}), "up");
}

}  // namespace
}  // namespace breakwire::history
