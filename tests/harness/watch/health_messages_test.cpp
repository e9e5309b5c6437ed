// The bytes of a Check, as protoc's code would write and read them.
#include <gtest/gtest.h>

#include "harness/watch/health_messages.h"

namespace breakwire::watch {
namespace {

using namespace std::string_literals;

TEST(HealthRequestTest, IsFieldOneWithTheNameAndNothingForTheWholeServer) {
  EXPECT_EQ(health_request(""), "");
  EXPECT_EQ(health_request("readiness"), "\x0a\x09readiness");
  const std::string long_name(300, 'x');
  EXPECT_EQ(health_request(long_name), "\x0a\xac\x02" + long_name);
}

struct ResponseCase {
  std::string name;
  std::string bytes;
  std::optional<uint64_t> status;
};
class HealthResponseTest : public testing::TestWithParam<ResponseCase> {};

TEST_P(HealthResponseTest, IsRead) { EXPECT_EQ(health_status(GetParam().bytes), GetParam().status); }

INSTANTIATE_TEST_SUITE_P(
    All, HealthResponseTest,
    testing::Values(ResponseCase{"Serving", "\x08\x01", 1}, ResponseCase{"EmptyIsUnknown", "", 0},
                    ResponseCase{"TheLastOfSeveralCounts", "\x08\x01\x08\x02", 2},
                    ResponseCase{"UnknownVarintSkipped", "\x10\xff\x01\x08\x02", 2},
                    ResponseCase{"UnknownTextSkipped", "\x12\x03xyz\x08\x01", 1},
                    ResponseCase{"UnknownFixedSkipped",
                                 "\x19\x01\x02\x03\x04\x05\x06\x07\x08\x1d\x01\x02\x03\x04\x08\x01", 1},
                    ResponseCase{"LongestVarint", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", UINT64_MAX},
                    ResponseCase{"CutInTheValue", "\x08", std::nullopt},
                    ResponseCase{"CutInText", "\x12\x03xy", std::nullopt},
                    ResponseCase{"CutInFixed", "\x1d\x01\x02", std::nullopt},
                    ResponseCase{"EndlessVarint", "\x08" + std::string(11, '\xff'), std::nullopt},
                    ResponseCase{"FieldZero", "\x00\x01"s, std::nullopt},
                    ResponseCase{"Group", "\x13\x14", std::nullopt},
                    ResponseCase{"Html", "<html>", std::nullopt}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace breakwire::watch
