// What gRPC C++ makes of answers, ends, messages and metadata that faults changed.
#include "tests/faults/relay/grpc_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::Stage;
using grpc::StatusCode;

class CallFaultsGrpcTest : public GrpcRelayTest {};

struct HttpCase {
  int status;
  StatusCode code;
};
class HttpStatusGrpcTest : public CallFaultsGrpcTest, public ::testing::WithParamInterface<HttpCase> {};

// grpc/grpc doc/http-grpc-status-mapping.md
TEST_P(HttpStatusGrpcTest, IsTheStatusThatTheMappingSays) {
  for (const Stage stage : {Stage::headers, Stage::response_headers}) {
    const auto fault =
        arm_kind("http_status", R"({"status": )" + std::to_string(GetParam().status) + "}", {.stage = stage});
    const auto call = client.start("Say");
    EXPECT_EQ(call->code(), GetParam().code) << call->status().error_message();
    EXPECT_EQ(server.handled("/test.Echo/Say"), stage == Stage::headers ? 0 : 1);
    EXPECT_EQ(recorder.wait_for<faults::CallEnded>(stage == Stage::headers ? 1 : 2).back().status,
              static_cast<breakwire::StatusCode>(GetParam().code));
  }
  EXPECT_EQ(client.say(), StatusCode::OK);
  EXPECT_EQ(recorder.all<faults::ConnectionAccepted>().size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(
    All, HttpStatusGrpcTest,
    ::testing::Values(HttpCase{200, StatusCode::UNKNOWN}, HttpCase{400, StatusCode::INTERNAL},
                      HttpCase{401, StatusCode::UNAUTHENTICATED},
                      HttpCase{403, StatusCode::PERMISSION_DENIED}, HttpCase{404, StatusCode::UNIMPLEMENTED},
                      HttpCase{429, StatusCode::UNAVAILABLE}, HttpCase{500, StatusCode::UNKNOWN},
                      HttpCase{502, StatusCode::UNAVAILABLE}, HttpCase{503, StatusCode::UNAVAILABLE},
                      HttpCase{504, StatusCode::UNAVAILABLE}),
    [](const auto& tested) { return std::to_string(tested.param.status); });

TEST_F(CallFaultsGrpcTest, MissingTrailersAreAnUnknownOutcomeOfWorkThatWasDone) {
  for (const char* with : {"{}", R"({"end_stream_on": "headers"})"}) {
    const auto fault = arm_kind("missing_trailers", with);
    EXPECT_EQ(client.say(), StatusCode::UNKNOWN) << with;
  }
  EXPECT_EQ(server.handled("/test.Echo/Say"), 2);
  EXPECT_EQ(client.say(), StatusCode::OK);
}

// The status still says OK, and this library believes it: what the caller holds is an empty message.
TEST_F(CallFaultsGrpcTest, ATruncatedResponseReachesNoCaller) {
  auto fault = arm_kind("truncate_message", R"({"bytes": "8B"})", {.stage = Stage::response_message});
  const auto call = client.start("Say", "a longer message");
  EXPECT_EQ(call->response(), "");
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
  fault.reset();
  EXPECT_EQ(client.say(), StatusCode::OK);
}

TEST_F(CallFaultsGrpcTest, ATruncatedRequestReachesNoHandler) {
  auto fault = arm_kind("truncate_message", R"({"bytes": "8B"})", {.stage = Stage::request_message});
  EXPECT_NE(client.start("Say", "a longer message")->code(), StatusCode::OK);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 0);
  fault.reset();
  EXPECT_EQ(client.say(), StatusCode::OK);
}

TEST_F(CallFaultsGrpcTest, ADeadlineThatIsSetOnTheWayIsTheServersOnly) {
  const auto fault = arm_kind("metadata", R"({"set": {"grpc-timeout": "200m"}})", {.stage = Stage::headers});
  const auto call = client.start("Wait", "for ever", 10s);
  EXPECT_EQ(call->code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(server.wait_until_cancelled(1));
  // The caller asked for ten seconds, which is what is told.
  EXPECT_GT(recorder.wait_for<faults::CallStarted>().front().timeout, 9s);
}

TEST_F(CallFaultsGrpcTest, AStatusThatIsNamedIsChanged) {
  auto fault = arm_kind("metadata", R"({"set": {"grpc-status": "9", "grpc-message": "no%20money"}})",
                        {.stage = Stage::response_end});
  const auto call = client.start("Say");
  EXPECT_EQ(call->code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(call->status().error_message(), "no money");
  const auto ended = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(ended.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended.status, breakwire::StatusCode::failed_precondition);
  fault.reset();
  EXPECT_EQ(client.say(), StatusCode::OK);
}

TEST_F(CallFaultsGrpcTest, OneStreamIsSlowAndAnotherIsNot) {
  ASSERT_EQ(client.say(), StatusCode::OK);
  auto fault = arm_kind("stream_bandwidth", R"({"rate": "10kB/s"})",
                        {.method = "test.Echo/Slow", .stage = Stage::headers});
  const std::string message(1'000'000, 's');
  const auto slow = client.start("Slow", message);
  for (int number = 0; number < 5; ++number) {
    EXPECT_EQ(client.start("Say", std::string(200'000, 'q'))->code(), StatusCode::OK);
  }
  EXPECT_EQ(server.handled("/test.Echo/Slow"), 0);
  fault.reset();
  EXPECT_EQ(slow->code(), StatusCode::OK);
  EXPECT_EQ(slow->response(), message);
}

}  // namespace
}  // namespace breakwire::relay::testing
