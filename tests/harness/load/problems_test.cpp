// What is wrong with a load is said before it begins, all of it, and where in the file it stands.
#include <gtest/gtest.h>

#include "tests/harness/load/load_fixture.h"

namespace breakwire::load {
namespace {

class ProblemsTest : public LoadFixture {
 protected:
  std::string complaint(const std::string& request) {
    const auto value = json::parse(request, "r.json");
    EXPECT_TRUE(value);
    const auto encoded = method->encode(*value);
    return encoded ? "encoded" : render(encoded.errors());
  }
};

TEST_F(ProblemsTest, AnUnknownFieldIsMarkedAndTheLikelyOneNamed) {
  EXPECT_EQ(complaint(R"({ "oder_id": "x" })"),
            "error: kiosk.v1.BuyRequest has no field `oder_id`\n"
            " --> r.json:1:3\n"
            "  |\n"
            "1 | { \"oder_id\": \"x\" }\n"
            "  |   ^^^^^^^^^ did you mean `order_id`?\n");
}

TEST_F(ProblemsTest, EveryMistakeIsFoundAtAnyDepth) {
  EXPECT_EQ(complaint(R"({
  "quantity": "many",
  "items": [{ "sku": 7, "tast": "TASTE_SWEET" },
            { "taste": "TASTE_SWET", "price": { "cents": 1.5 }, "baked_at": "noon" }],
  "labels": ["a"]
})"),
            R"(error: field `quantity` is of type int32 and cannot be "many"
 --> r.json:2:15
  |
2 |   "quantity": "many",
  |               ^^^^^^
error: field `sku` is of type string and cannot be 7
 --> r.json:3:22
  |
3 |   "items": [{ "sku": 7, "tast": "TASTE_SWEET" },
  |                      ^
error: kiosk.v1.Item has no field `tast`
 --> r.json:3:25
  |
3 |   "items": [{ "sku": 7, "tast": "TASTE_SWEET" },
  |                         ^^^^^^ did you mean `taste`?
error: field `taste` is of type kiosk.v1.Taste and cannot be "TASTE_SWET"
 --> r.json:4:24
  |
4 |             { "taste": "TASTE_SWET", "price": { "cents": 1.5 }, "baked_at": "noon" }],
  |                        ^^^^^^^^^^^^ did you mean `TASTE_SWEET`?
error: field `cents` is of type int64 and cannot be 1.5
 --> r.json:4:58
  |
4 |             { "taste": "TASTE_SWET", "price": { "cents": 1.5 }, "baked_at": "noon" }],
  |                                                          ^^^
error: field `baked_at` is of type google.protobuf.Timestamp and cannot be "noon"
 --> r.json:4:77
  |
4 |             { "taste": "TASTE_SWET", "price": { "cents": 1.5 }, "baked_at": "noon" }],
  |                                                                             ^^^^^^
error: expected a map (`labels`) here, found a list
 --> r.json:5:13
  |
5 |   "labels": ["a"]
  |             ^^^^^ write an object
)");
}

TEST_F(ProblemsTest, TheWrongShapes) {
  EXPECT_NE(
      complaint(R"({"items": {"sku": 7}})").find("expected a repeated field (`items`) here, found an object"),
      std::string::npos);
  EXPECT_NE(complaint(R"({"items": [7]})").find("expected a message (kiosk.v1.Item) here, found a number"),
            std::string::npos);
  EXPECT_NE(complaint(R"({"order_id": {"a": 1}})").find("field `order_id` is of type string and cannot be"),
            std::string::npos);
  EXPECT_EQ(complaint(R"({"order_id": null, "token": "AAE="})"), "encoded");
}

TEST_F(ProblemsTest, MetadataThatGrpcWouldAbortOn) {
  load.metadata = {{"Upper", "x"},      {"grpc-timeout", "1S"},  {"traceparent", "mine"},
                   {"fine", "${uuid}"}, {"text", "caf\xc3\xa9"}, {"raw-bin", "\xff"}};
  const auto problems = problems_of(load, *method, 1);
  std::vector<std::string> sentences;
  for (const auto& problem : problems) sentences.push_back(problem.what);
  EXPECT_EQ(sentences, (std::vector<std::string>{
                           "`Upper` cannot be a metadata key", "`grpc-timeout` cannot be a metadata key",
                           "metadata `text` cannot hold \"caf\xc3\xa9\"",
                           "metadata `traceparent` is stamped on every call by breakwire itself"}));
  EXPECT_THROW(begin(), std::runtime_error);
  EXPECT_TRUE(sink.events().empty());
}

TEST_F(ProblemsTest, AServiceConfigThatGrpcDoesNotTake) {
  load.service_config =
      json::parse(R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 1}}]})", "s.json")
          .value();
  const auto problems = problems_of(load, *method, 1);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].what.starts_with("gRPC does not take this service config: ")) << problems[0].what;
  EXPECT_EQ(problems[0].where.file, "s.json");
  EXPECT_NE(problems[0].what.find("maxAttempts"), std::string::npos) << problems[0].what;
}

TEST_F(ProblemsTest, ARequestIsJudgedWithItsPlaceholdersFilledIn) {
  load.request = json::parse(R"({"quantity": "${call}"})", "r.json").value();
  const auto problems = problems_of(load, *method, 1);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].what, "field `quantity` is of type int32 and cannot be \"shoppers-1\"");
  EXPECT_EQ(problems[0].where.column, 14U);
}

}  // namespace
}  // namespace breakwire::load
