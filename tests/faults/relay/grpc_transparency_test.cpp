// Real gRPC C++ on both sides of a relay without faults: as if it were not there, and everything seen.
#include <algorithm>
#include <thread>

#include "tests/faults/relay/grpc_test.h"

namespace breakwire::relay::testing {
namespace {

class GrpcTransparencyTest : public GrpcRelayTest {};

TEST_F(GrpcTransparencyTest, CarriesACallAndTellsAllOfItWithBothTimes) {
  const auto call = client.start("Say", "hello", 5s);
  ASSERT_EQ(call->code(), grpc::StatusCode::OK) << call->status().error_message();
  EXPECT_EQ(call->response(), "hello");

  EXPECT_EQ(recorder.wait_for<faults::ProtocolDetected>().front().protocol, faults::Protocol::http2);
  const auto started = recorder.wait_for<faults::CallStarted>().front();
  EXPECT_EQ(started.method, "test.Echo/Say");
  ASSERT_TRUE(started.timeout);
  EXPECT_GT(*started.timeout, 4s);
  ASSERT_TRUE(started.times.forwarded);
  EXPECT_LE(started.times.received, *started.times.forwarded);
  EXPECT_EQ(recorder.wait_for<faults::ResponseStarted>().front().http_status, 200);
  const auto messages = recorder.wait_for<faults::MessageSeen>(2);
  EXPECT_EQ(messages[0].direction, faults::Direction::request);
  EXPECT_EQ(messages[0].size, 5u);
  EXPECT_EQ(messages[1].direction, faults::Direction::response);
  const auto ended = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(ended.how, faults::Ending::trailers);
  EXPECT_EQ(ended.status, StatusCode::ok);
  ASSERT_TRUE(ended.times.forwarded);
  EXPECT_LE(*started.times.forwarded, *ended.times.forwarded);
  EXPECT_TRUE(recorder.all<faults::ProtocolViolation>().empty());
  EXPECT_TRUE(recorder.all<faults::LimitReached>().empty());
}

TEST_F(GrpcTransparencyTest, CarriesManyCallsAtOnceOnOneConnection) {
  std::vector<std::unique_ptr<Call>> calls;
  for (int number = 0; number < 300; ++number) calls.push_back(client.start("Say", std::to_string(number)));
  for (int number = 0; number < 300; ++number) {
    EXPECT_EQ(calls[static_cast<size_t>(number)]->response(), std::to_string(number));
  }
  EXPECT_EQ(recorder.wait_for<faults::CallEnded>(300).size(), 300u);
  EXPECT_EQ(recorder.all<faults::ConnectionAccepted>().size(), 1u);
}

TEST_F(GrpcTransparencyTest, CarriesALargeMessageBothWays) {
  std::string large(8 << 20, '\0');
  for (size_t index = 0; index < large.size(); ++index) large[index] = static_cast<char>(index * 31 / 7);
  const auto call = client.start("Say", large);
  ASSERT_EQ(call->code(), grpc::StatusCode::OK) << call->status().error_message();
  EXPECT_TRUE(call->response() == large);
  EXPECT_EQ(client.say(), grpc::StatusCode::OK);  // and flow control is as it was
}

TEST_F(GrpcTransparencyTest, CarriesMoreThanAllWindowsInManyCalls) {
  const std::string message(200 << 10, 'x');
  for (int round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<Call>> calls;
    for (int number = 0; number < 10; ++number) calls.push_back(client.start("Say", message));
    for (const auto& call : calls) ASSERT_EQ(call->response().size(), message.size());
  }
}

TEST_F(GrpcTransparencyTest, LetsADeadlineReachTheServer) {
  const auto call = client.start("Wait", "", 200ms);
  EXPECT_EQ(call->code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(server.wait_until_cancelled(1));
  const auto how = recorder.wait_for<faults::CallEnded>().front().how;  // whoever was quicker
  EXPECT_TRUE(how == faults::Ending::reset_by_downstream || how == faults::Ending::trailers);
  EXPECT_EQ(client.say(), grpc::StatusCode::OK);
}

TEST_F(GrpcTransparencyTest, LetsACancellationReachTheServer) {
  const auto call = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  call->cancel();
  EXPECT_EQ(call->code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(server.wait_until_cancelled(1));
  const auto ended = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(ended.how, faults::Ending::reset_by_downstream);
  EXPECT_EQ(ended.reset, Http2Error::cancel);
}

TEST_F(GrpcTransparencyTest, LetsAServerDrainAndItsCallsFinish) {
  const auto call = client.start("Wait", "in flight");
  ASSERT_TRUE(server.wait_until_waiting(1));
  std::thread draining([this] { server.shut_down(); });
  const auto goaway = recorder.wait_for<faults::GoawaySeen>().front();
  EXPECT_EQ(goaway.direction, faults::Direction::response);
  EXPECT_EQ(goaway.code, Http2Error::no_error);
  server.let_go();
  EXPECT_EQ(call->code(), grpc::StatusCode::OK) << call->status().error_message();
  EXPECT_EQ(call->response(), "in flight");
  draining.join();
  wait_for_end();  // by FIN; or by RST, when the server closed before it had read the client's last frames
  EXPECT_EQ(recorder.wait_for<faults::CallEnded>().front().status, StatusCode::ok);
  EXPECT_EQ(client.say(), grpc::StatusCode::UNAVAILABLE);
  recorder.wait_for<faults::UpstreamRefused>();
}

TEST_F(GrpcTransparencyTest, EndsCallsUnderWayWhenTheConnectionIsLost) {
  auto call = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  network.reset();
  EXPECT_EQ(call->code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(recorder.wait_for<faults::CallEnded>().front().how, faults::Ending::connection_lost);
}

}  // namespace
}  // namespace breakwire::relay::testing
