// One list of fields gives the parser, its errors and the schema.
#include "base/described.h"

#include <gtest/gtest.h>

namespace breakwire {
enum class Colour { red, green };
template <>
struct EnumNames<Colour> {
  static std::string type() { return "colour"; }
  static const std::vector<std::pair<std::string, Colour>>& names() {
    static const std::vector<std::pair<std::string, Colour>> all{{"red", Colour::red},
                                                                 {"green", Colour::green}};
    return all;
  }
};

namespace {

struct Inner {
  int depth = 1;
  static const Fields<Inner>& fields() {
    static const auto all = Fields<Inner>().required("depth", &Inner::depth, "How deep.");
    return all;
  }
};

struct Sample {
  Duration delay{};
  Duration jitter = 5ms;
  Colour colour = Colour::green;
  std::optional<uint64_t> limit;
  std::vector<StatusCode> codes;
  std::map<std::string, Rate> rates;
  Inner inner;

  static const Fields<Sample>& fields() {
    static const auto all =
        Fields<Sample>()
            .required("delay", &Sample::delay, "The delay.")
            .optional("jitter", &Sample::jitter, "The jitter.")
            .optional("colour", &Sample::colour, "The colour.")
            .optional("limit", &Sample::limit, "The limit.")
            .optional("codes", &Sample::codes, "The codes.")
            .optional("rates", &Sample::rates, "The rates.")
            .optional("inner", &Sample::inner, "The inside.")
            .rule([](const Sample& sample, const json::Value& object, ErrorList& errors) {
              if (sample.jitter > sample.delay)
                errors.push_back(json::error_at(object.span, "`jitter` is longer than `delay`"));
            });
    return all;
  }
};

json::Value parsed(const std::string& text) {
  auto value = json::parse(text, "a.json");
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : json::Value();
}

std::vector<std::string> complaints(const std::string& text) {
  Sample sample;
  ErrorList errors;
  const bool good = Sample::fields().read(parsed(text), sample, errors);
  EXPECT_EQ(good, errors.empty());
  std::vector<std::string> all;
  for (const auto& error : errors)
    all.push_back(std::to_string(error.where.line) + ":" + std::to_string(error.where.column) + " " +
                  error.what);
  return all;
}

using Texts = std::vector<std::string>;

TEST(DescribedTest, ReadsEveryField) {
  Sample sample;
  ErrorList errors;
  ASSERT_TRUE(Sample::fields().read(
      parsed(R"({"delay": "1s", "jitter": "2ms", "colour": "red", "limit": 3, "codes": ["OK", "ABORTED"],
                 "rates": {"a": "50/s", "b": "120/m"}, "inner": {"depth": -4}})"),
      sample, errors));
  EXPECT_EQ(sample.delay, 1s);
  EXPECT_EQ(sample.jitter, 2ms);
  EXPECT_EQ(sample.colour, Colour::red);
  EXPECT_EQ(sample.limit, 3u);
  EXPECT_EQ(sample.codes, (std::vector{StatusCode::ok, StatusCode::aborted}));
  EXPECT_EQ(sample.rates, (std::map<std::string, Rate>{{"a", {50}}, {"b", {2}}}));
  EXPECT_EQ(sample.inner.depth, -4);
}

TEST(DescribedTest, KeepsTheDefaultsOfWhatIsLeftOut) {
  Sample sample;
  ErrorList errors;
  ASSERT_TRUE(Sample::fields().read(parsed(R"({"delay": "1s"})"), sample, errors));
  EXPECT_EQ(sample.jitter, 5ms);
  EXPECT_EQ(sample.colour, Colour::green);
  EXPECT_EQ(sample.limit, std::nullopt);
}

TEST(DescribedTest, ReportsEverythingThatIsWrongAtOnceEachAtItsPlace) {
  EXPECT_EQ(
      complaints("{ \"jitter\": 5,\n"
                 "  \"colr\": \"red\",\n"
                 "  \"colour\": \"gren\",\n"
                 "  \"codes\": [\"OK\", \"NOPE\", 3],\n"
                 "  \"rates\": {\"a\": \"fast\", \"b\": \"1/s\", \"c\": 1},\n"
                 "  \"inner\": {\"deep\": 1} }"),
      (Texts{"2:3 unknown key `colr`", "1:1 `delay` is missing", "1:13 a bare number is not a duration",
             "3:13 unknown colour `gren`", "4:19 unknown gRPC status code `NOPE`",
             "4:27 expected gRPC status code as a string, found a number", "5:18 `fast` is not a rate",
             "5:43 a bare number is not a rate", "6:13 unknown key `deep`", "6:12 `depth` is missing"}));
}

TEST(DescribedTest, AsksItsRulesOnlyWhenTheFieldsAreGood) {
  EXPECT_EQ(complaints(R"({"delay": "1ms"})"), Texts{"1:1 `jitter` is longer than `delay`"});
  EXPECT_EQ(complaints(R"({"delay": "1ms", "limit": -1})"),
            Texts{"1:27 `-1` is not a whole number from 0 to 9007199254740992"});
}

TEST(DescribedTest, LetsKeysThroughThatSomebodyElseReads) {
  Sample sample;
  ErrorList errors;
  EXPECT_TRUE(Sample::fields().read(parsed(R"({"delay": "1s", "fault": 1})"), sample, errors, {"fault"}));
  EXPECT_FALSE(Sample::fields().read(parsed(R"({"delay": "1s", "fautl": 1})"), sample, errors, {"fault"}));
  EXPECT_EQ(errors.at(0).hint, "did you mean `fault`?");
}

TEST(DescribedTest, WantsAnObject) {
  EXPECT_EQ(complaints("[1]"), Texts{"1:1 expected an object, found a list"});
}

TEST(DescribedTest, DocumentsItsFields) {
  Texts lines;
  for (const auto& field : Sample::fields().info()) {
    lines.push_back(field.name + "|" + field.type + "|" + (field.required ? "required" : field.default_text) +
                    "|" + field.doc);
  }
  EXPECT_EQ(lines, (Texts{"delay|duration|required|The delay.", "jitter|duration|5ms|The jitter.",
                          "colour|colour|green|The colour.", "limit|integer||The limit.",
                          "codes|list of status code||The codes.",
                          "rates|object of string to rate||The rates.", "inner|object||The inside."}));
}

TEST(DescribedTest, GivesASchemaThatForbidsOtherKeys) {
  const json::Value schema = Sample::fields().schema();
  EXPECT_EQ(json::write_line(*schema.find("required")), R"(["delay"])");
  EXPECT_FALSE(schema.find("additionalProperties")->boolean);
  const json::Value& properties = *schema.find("properties");
  EXPECT_EQ(json::write_line(*properties.find("colour")),
            R"({"type": "string", "enum": ["red", "green"], "description": "The colour."})");
  EXPECT_EQ(json::write_line(*properties.find("inner")->find("required")), R"(["depth"])");
  EXPECT_EQ(properties.find("codes")->find("items")->find("enum")->items.size(), 17u);
}

}  // namespace
}  // namespace breakwire
