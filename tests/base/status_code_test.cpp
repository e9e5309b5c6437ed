#include "base/status_code.h"

#include <gtest/gtest.h>

namespace breakwire {
namespace {

struct CodeCase {
  int number;
  std::string name;
};

class StatusCodeTest : public ::testing::TestWithParam<CodeCase> {};

TEST_P(StatusCodeTest, HasTheNumberAndNameOfStatuscodesMd) {
  const auto& [number, name] = GetParam();
  const auto code = status_code_from(number);
  ASSERT_TRUE(code);
  EXPECT_EQ(static_cast<int>(*code), number);
  EXPECT_EQ(to_text(*code), name);
  EXPECT_EQ(parse_status_code(name), code);
}

INSTANTIATE_TEST_SUITE_P(All, StatusCodeTest,
                         ::testing::Values(CodeCase{0, "OK"}, CodeCase{1, "CANCELLED"},
                                           CodeCase{2, "UNKNOWN"}, CodeCase{3, "INVALID_ARGUMENT"},
                                           CodeCase{4, "DEADLINE_EXCEEDED"}, CodeCase{5, "NOT_FOUND"},
                                           CodeCase{6, "ALREADY_EXISTS"}, CodeCase{7, "PERMISSION_DENIED"},
                                           CodeCase{8, "RESOURCE_EXHAUSTED"},
                                           CodeCase{9, "FAILED_PRECONDITION"}, CodeCase{10, "ABORTED"},
                                           CodeCase{11, "OUT_OF_RANGE"}, CodeCase{12, "UNIMPLEMENTED"},
                                           CodeCase{13, "INTERNAL"}, CodeCase{14, "UNAVAILABLE"},
                                           CodeCase{15, "DATA_LOSS"}, CodeCase{16, "UNAUTHENTICATED"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(StatusCodeNamesTest, KnowsNoOtherNumbersAndNames) {
  EXPECT_EQ(status_code_names().size(), 17u);
  for (const int64_t number : {-1L, 17L, 256L, 270L, 99L}) EXPECT_EQ(status_code_from(number), std::nullopt);
  for (const char* name : {"", "ok", "Unavailable", "CANCELED", "14"})
    EXPECT_EQ(parse_status_code(name), std::nullopt);
}

class Http2ErrorTest : public ::testing::TestWithParam<CodeCase> {};

TEST_P(Http2ErrorTest, HasTheNumberAndNameOfRfc9113) {
  const auto& [number, name] = GetParam();
  EXPECT_EQ(to_text(static_cast<Http2Error>(number)), name);
  EXPECT_EQ(parse_http2_error(name), static_cast<Http2Error>(number));
}

INSTANTIATE_TEST_SUITE_P(All, Http2ErrorTest,
                         ::testing::Values(CodeCase{0x0, "NO_ERROR"}, CodeCase{0x1, "PROTOCOL_ERROR"},
                                           CodeCase{0x2, "INTERNAL_ERROR"},
                                           CodeCase{0x3, "FLOW_CONTROL_ERROR"},
                                           CodeCase{0x4, "SETTINGS_TIMEOUT"}, CodeCase{0x5, "STREAM_CLOSED"},
                                           CodeCase{0x6, "FRAME_SIZE_ERROR"}, CodeCase{0x7, "REFUSED_STREAM"},
                                           CodeCase{0x8, "CANCEL"}, CodeCase{0x9, "COMPRESSION_ERROR"},
                                           CodeCase{0xa, "CONNECT_ERROR"}, CodeCase{0xb, "ENHANCE_YOUR_CALM"},
                                           CodeCase{0xc, "INADEQUATE_SECURITY"},
                                           CodeCase{0xd, "HTTP_1_1_REQUIRED"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(Http2ErrorNamesTest, ShowsUnknownCodesByTheirNumber) {
  EXPECT_EQ(http2_error_names().size(), 14u);
  EXPECT_EQ(to_text(static_cast<Http2Error>(99)), "error 99");
  EXPECT_EQ(parse_http2_error("CANCELLED"), std::nullopt);
}

}  // namespace
}  // namespace breakwire
