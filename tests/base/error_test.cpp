// What a person reads: golden text.
#include "base/error.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace breakwire {
namespace {

/// An error at the first `part` of a one-file text.
Error error_in(const std::string& text, const std::string& part, const std::string& hint = "do this") {
  const auto source = std::make_shared<const json::Source>(json::Source{"a.json", text});
  const size_t at = text.find(part);
  return json::error_at({source, at, at + part.size()}, "that is wrong", hint);
}

TEST(RenderTest, PutsTheCaretUnderTheSpanWithTheHint) {
  EXPECT_EQ(render(error_in("{\n  \"fault\": \"latncy\",\n}", "\"latncy\"", "did you mean `latency`?")),
            "error: that is wrong\n"
            " --> a.json:2:12\n"
            "  |\n"
            "2 |   \"fault\": \"latncy\",\n"
            "  |            ^^^^^^^^ did you mean `latency`?\n");
}

TEST(RenderTest, WidensTheMarginWithTheLineNumber) {
  std::string ninety_nine_lines(99, '\n');
  EXPECT_EQ(render(error_in(ninety_nine_lines.append("x"), "x", "")),
            "error: that is wrong\n"
            "   --> a.json:100:1\n"
            "    |\n"
            "100 | x\n"
            "    | ^\n");
}

TEST(RenderTest, CountsLettersNotBytes) {
  EXPECT_EQ(render(error_in("{ \"grüße\": \"schön\" }", "\"schön\"")),
            "error: that is wrong\n"
            " --> a.json:1:12\n"
            "  |\n"
            "1 | { \"grüße\": \"schön\" }\n"
            "  |            ^^^^^^^ do this\n");
}

TEST(RenderTest, ShowsATabAsOneBlank) {
  EXPECT_EQ(render(error_in("\t\tx", "x", "")),
            "error: that is wrong\n"
            " --> a.json:1:3\n"
            "  |\n"
            "1 |   x\n"
            "  |   ^\n");
}

TEST(RenderTest, LeavesTheCarriageReturnOfDosFilesOut) {
  EXPECT_EQ(render(error_in("{\r\n  \"a\": 1\r\n}", "1")).find('\r'), std::string::npos);
}

TEST(RenderTest, EndsTheCaretsAtTheLinesEnd) {
  EXPECT_EQ(render(error_in("[\n  {\n  }\n]", "{\n  }", "")),
            "error: that is wrong\n"
            " --> a.json:2:3\n"
            "  |\n"
            "2 |   {\n"
            "  |   ^\n");
}

TEST(RenderTest, CutsLongLinesToAWindowAroundTheSpan) {
  std::string text = "{ ";
  for (int i = 0; i < 40; ++i) text += "\"ä" + std::to_string(i) + "\": 1, ";
  const std::string rendered =
      render(error_in(text + "\"wrong\": 1 }" + std::string(300, ' '), "\"wrong\"", ""));
  const size_t line = rendered.find("1 | ") + 4;
  const size_t carets = rendered.find("  | ", line) + 4;
  const auto letters = [&](size_t from, size_t to) {
    return std::count_if(rendered.begin() + static_cast<long>(from), rendered.begin() + static_cast<long>(to),
                         [](unsigned char c) { return (c & 0xC0) != 0x80; });
  };
  EXPECT_EQ(letters(line, rendered.find("\"wrong\"")), letters(carets, rendered.find('^')));
  EXPECT_LT(letters(line, rendered.find('\n', line)), 130);
  EXPECT_EQ(rendered.substr(rendered.find('^')), "^^^^^^^\n");
}

TEST(RenderTest, NamesTheFileAloneWhenThereIsNoLine) {
  EXPECT_EQ(render(Error{.what = "cannot read it", .where = {.file = "a.json"}, .hint = "is it there?"}),
            "error: cannot read it\n"
            "--> a.json\n"
            " = is it there?\n");
}

TEST(RenderTest, SaysAnErrorWithoutAPlaceInTwoLines) {
  EXPECT_EQ(render(Error{.what = "unknown flag `--sed`", .hint = "did you mean `--seed`?"}),
            "error: unknown flag `--sed`\n"
            "  did you mean `--seed`?\n");
}

TEST(RenderTest, NamesFurtherPlaces) {
  Error error = error_in("x", "x", "");
  error.also.push_back({.file = "b.json", .line = 3, .column = 4});
  EXPECT_EQ(render(error),
            "error: that is wrong\n"
            " --> a.json:1:1\n"
            "  |\n"
            "1 | x\n"
            "  | ^\n"
            "  = see also b.json:3:4\n");
}

TEST(RenderTest, ShowsAllErrorsOfAList) {
  const Error error{.what = "no"};
  EXPECT_EQ(render(ErrorList{error, error}), "error: no\nerror: no\n");
}

struct SlipCase {
  std::string word, meant;
};
class ClosestTest : public ::testing::TestWithParam<SlipCase> {};

TEST_P(ClosestTest, RecognisesSlipsOfTheFingerAndNothingElse) {
  const std::vector<std::string> known{"latency", "bandwidth", "stall", "reset", "at", "UNAVAILABLE"};
  EXPECT_EQ(closest(GetParam().word, known), GetParam().meant);
}

INSTANTIATE_TEST_SUITE_P(All, ClosestTest,
                         ::testing::Values(SlipCase{"latncy", "latency"}, SlipCase{"latnecy", "latency"},
                                           SlipCase{"latencyy", "latency"}, SlipCase{"bandwith", "bandwidth"},
                                           SlipCase{"stal", "stall"}, SlipCase{"Reset", "reset"},
                                           SlipCase{"RESET", "reset"}, SlipCase{"unavailable", "UNAVAILABLE"},
                                           SlipCase{"ta", "at"}, SlipCase{"partition", ""}, SlipCase{"x", ""},
                                           SlipCase{"", ""}));

TEST(DidYouMeanTest, ListsWhatIsKnownWhenNothingIsClose) {
  EXPECT_EQ(did_you_mean("frobnicate", {"delay", "jitter"}), "known here: delay, jitter");
  EXPECT_EQ(did_you_mean("dealy", {"delay", "jitter"}), "did you mean `delay`?");
  EXPECT_EQ(did_you_mean("anything", {}), "");
}

}  // namespace
}  // namespace breakwire
