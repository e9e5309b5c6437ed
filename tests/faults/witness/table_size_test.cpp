// HPACK's table made smaller and larger under gRPC's C-core, on either side, with and without a call between:
// whoever encodes must keep in step with who decodes (RFC 7541 §4.2, RFC 9113 §4.3.1).
#include "tests/faults/relay/grpc_test.h"

namespace breakwire::relay::testing {
namespace {

struct TableCase {
  std::string name;
  std::string of;
  bool call_between = false;
};

class TableSizeGrpcTest : public GrpcRelayTest, public ::testing::WithParamInterface<TableCase> {};

TEST_P(TableSizeGrpcTest, ATableThatIsTakenAwayAndGivenBackCostsNoCall) {
  const std::string with = R"({"header_table_size": "0B", "of": ")" + GetParam().of + "\"}";
  ASSERT_EQ(client.say(), grpc::StatusCode::OK);
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(client.say(), grpc::StatusCode::OK) << round;
    auto fault = arm_kind("settings", with);
    if (GetParam().call_between) {
      EXPECT_EQ(client.say(), grpc::StatusCode::OK) << round;
    }
    fault.reset();
    EXPECT_EQ(client.say(), grpc::StatusCode::OK) << round;
  }
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
  EXPECT_EQ(recorder.all<faults::ConnectionAccepted>().size(), 1u) << "the connection was lost on the way";
}

INSTANTIATE_TEST_SUITE_P(All, TableSizeGrpcTest,
                         ::testing::Values(TableCase{"ServiceWithACall", "service", true},
                                           TableCase{"ServiceWithoutOne", "service", false},
                                           TableCase{"CallerWithACall", "caller", true},
                                           TableCase{"CallerWithoutOne", "caller", false}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace breakwire::relay::testing
