#include "tests/faults/kinds/making.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

AnswerHttp page(const std::string& with) {
  const CallFacts facts{.connection = one, .stream = 1};
  return std::get<AnswerHttp>(
      answer(*wire_fault("http_status", with), CallReached{.stage = Stage::headers, .call = &facts}));
}

TEST(HttpStatusTest, IsABadGatewayInHtmlUnlessToldOtherwise) {
  const AnswerHttp answer = page("{}");
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.fields, (Metadata{{"content-type", "text/html"}}));
  EXPECT_EQ(answer.body, "<html><body><h1>502</h1></body></html>\n");
}

TEST(HttpStatusTest, SaysTheStatusTheFieldsAndThePageItIsGiven) {
  const AnswerHttp answer = page(
      R"({"status": 503, "headers": {"content-type": "text/plain", "retry-after": "1"}, "body": "busy"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields, (Metadata{{"content-type", "text/plain"}, {"retry-after", "1"}}));
  EXPECT_EQ(answer.body, "busy");
  EXPECT_EQ(page(R"({"body": ""})").body, "");
}

TEST(HttpStatusTest, ComesBeforeTheServiceOrInPlaceOfItsResponse) {
  for (const Stage stage : every_stage) {
    const bool here = stage == Stage::headers || stage == Stage::response_headers;
    EXPECT_EQ(said_at(*wire_fault("http_status"), stage), here ? "answer_http" : "forward");
  }
  EXPECT_EQ(default_match(*find_fault_kind("http_status")).stage, Stage::headers);
  EXPECT_NE(match_complaint("http_status", R"({"stage": "response_end"})").find("cannot act at stage"),
            std::string::npos);
}

TEST(HttpStatusTest, WhatIsNoAnswerOfAProxyIsAnError) {
  EXPECT_EQ(complaint("http_status", R"({ "status": 103 })"),
            "error: `status` 103 ends no call\n"
            " --> test.json:1:13\n"
            "  |\n"
            "1 | { \"status\": 103 }\n"
            "  |             ^^^ final statuses are 200 to 599; a proxy says 502, 503 or 504\n");
  EXPECT_NE(
      complaint("http_status", R"({"headers": {"grpc-status": "14"}})").find("use the kind `grpc_status`"),
      std::string::npos);
  EXPECT_NE(complaint("http_status", R"({"headers": {"connection": "close"}})").find("RFC 9113"),
            std::string::npos);
  EXPECT_NE(complaint("http_status", R"({"body": ")" + std::string(70'000, 'x') + R"("})")
                .find("`body` has 70000 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace breakwire::faults
