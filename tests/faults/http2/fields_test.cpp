// What gRPC and trace context say in fields, and where gRPC's messages end.
#include <gtest/gtest.h>

#include "faults/http2/grpc_fields.h"
#include "faults/http2/grpc_messages.h"
#include "tests/faults/http2/bytes.h"

namespace breakwire::http2::testing {
namespace {

TEST(GrpcTimeoutTest, ReadsEveryUnit) {
  EXPECT_EQ(parse_grpc_timeout("1H"), 1h);
  EXPECT_EQ(parse_grpc_timeout("2M"), 2min);
  EXPECT_EQ(parse_grpc_timeout("3S"), 3s);
  EXPECT_EQ(parse_grpc_timeout("1010m"), 1010ms);
  EXPECT_EQ(parse_grpc_timeout("5u"), 5us);
  EXPECT_EQ(parse_grpc_timeout("0n"), 0ns);
  EXPECT_EQ(parse_grpc_timeout("99999999S"), 99'999'999s);
  EXPECT_EQ(parse_grpc_timeout("99999999H"), Duration::max());
}

TEST(GrpcTimeoutTest, TakesNothingElse) {
  for (const char* text :
       {"", "m", "5", "5x", "-5m", "+5m", " 5m", "5 m", "5.5S", "123456789m", "5ms", "0x5m"}) {
    EXPECT_EQ(parse_grpc_timeout(text), std::nullopt) << text;
  }
}

TEST(TraceParentTest, ReadsVersion00AndTheBeginningOfHigherOnes) {
  const TraceParent expected{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"};
  EXPECT_EQ(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), expected);
  EXPECT_EQ(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), expected);
  EXPECT_EQ(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"), expected);
}

TEST(TraceParentTest, TakesNothingElse) {
  for (const char* text : {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                           "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g"}) {
    EXPECT_EQ(parse_traceparent(text), std::nullopt) << text;
  }
}

TEST(PercentTest, DecodesEscapesAndLeavesWhatIsNone) {
  EXPECT_EQ(percent_decode("50%25 of%C3%A4"), "50% of\xc3\xa4");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
  EXPECT_EQ(percent_encode("50% of\xc3\xa4\n"), "50%25 of%C3%A4%0A");
}

struct StatusCase {
  std::string name;
  faults::Metadata trailers;
  int http = 200;
  StatusCode expected = StatusCode::unknown;
};
class StatusTest : public ::testing::TestWithParam<StatusCase> {};
TEST_P(StatusTest, IsWhatAClientWouldConclude) {
  EXPECT_EQ(status_of(GetParam().trailers, GetParam().http), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    Responses, StatusTest,
    ::testing::Values(StatusCase{"ok", {{"grpc-status", "0"}}, 200, StatusCode::ok},
                      StatusCase{"unavailable", {{"grpc-status", "14"}}, 200, StatusCode::unavailable},
                      StatusCase{"status_beats_http", {{"grpc-status", "5"}}, 503, StatusCode::not_found},
                      StatusCase{"no_code", {{"grpc-status", "99"}}, 200, StatusCode::unknown},
                      StatusCase{"negative", {{"grpc-status", "-1"}}, 200, StatusCode::unknown},
                      StatusCase{"text", {{"grpc-status", "xyz"}}, 503, StatusCode::unknown},
                      StatusCase{"none", {}, 200, StatusCode::unknown},
                      StatusCase{"bad_request", {}, 400, StatusCode::internal},
                      StatusCase{"unauthorized", {}, 401, StatusCode::unauthenticated},
                      StatusCase{"forbidden", {}, 403, StatusCode::permission_denied},
                      StatusCase{"not_found", {}, 404, StatusCode::unimplemented},
                      StatusCase{"too_many", {}, 429, StatusCode::unavailable},
                      StatusCase{"bad_gateway", {}, 502, StatusCode::unavailable},
                      StatusCase{"service_unavailable", {}, 503, StatusCode::unavailable},
                      StatusCase{"gateway_timeout", {}, 504, StatusCode::unavailable},
                      StatusCase{"teapot", {}, 418, StatusCode::unknown}),
    [](const auto& one) { return one.param.name; });

TEST(GrpcFieldsTest, KnowsGrpcByItsContentType) {
  const auto grpc = [](const faults::Metadata& fields) { return is_grpc(fields); };
  EXPECT_TRUE(grpc({{"content-type", "application/grpc+proto"}}));
  EXPECT_FALSE(grpc({{"content-type", "application/grpc-web"}}));
  EXPECT_FALSE(grpc({{"content-type", "text/html"}}));
  EXPECT_FALSE(grpc({}));
}

TEST(MessageCounterTest, FindsMessagesWhereverTheBytesAreCut) {
  const std::string stream = hex("00 00000003") + "abc" + hex("01 00000000") + hex("00 00000001") + "z";
  for (size_t step = 1; step <= stream.size(); ++step) {
    MessageCounter counter;
    std::vector<std::pair<size_t, MessageCounter::Message>> found;
    for (size_t at = 0; at < stream.size(); at += step) {
      Bytes rest = bytes_of(std::string_view(stream).substr(at, step));
      const size_t whole = rest.size();
      while (auto message = counter.next(rest)) found.push_back({at + whole - rest.size(), *message});
      EXPECT_TRUE(rest.empty());
    }
    const std::vector<std::pair<size_t, MessageCounter::Message>> expected{
        {8, {0, 3}}, {13, {1, 0}}, {19, {2, 1}}};
    EXPECT_EQ(found, expected) << "in steps of " << step;
  }
}

}  // namespace
}  // namespace breakwire::http2::testing
