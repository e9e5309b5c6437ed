// Every fault of the wire, with real gRPC C++ on both sides as the witness.
#include <algorithm>

#include "tests/faults/relay/grpc_test.h"

namespace breakwire::relay::testing {
namespace {

using grpc::StatusCode;

class GrpcFaultsTest : public GrpcRelayTest {
 protected:
  using GrpcRelayTest::GrpcRelayTest;
  void warm_up() { ASSERT_EQ(client.say(), StatusCode::OK); }
  /// For a moment after its connection was lost, the channel may still give it to calls, which then fail.
  bool client_comes_back() {
    const auto deadline = Clock::now() + patience;
    while (Clock::now() < deadline) {
      if (client.start("Say", "again", 10s, true)->code() == StatusCode::OK) return true;
    }
    return false;
  }
  size_t connections() const { return recorder.all<faults::ConnectionAccepted>().size(); }
  bool hit(const std::string& action) {
    const auto hits = recorder.wait_for<faults::FaultHit>();
    return std::any_of(hits.begin(), hits.end(), [&](const auto& one) { return one.action == action; });
  }
};

/// gRPC that is just writing when a RST comes calls it "Socket closed": its write has taken the error.
class StillGrpcFaultsTest : public GrpcFaultsTest {
 protected:
  StillGrpcFaultsTest() : GrpcFaultsTest(false) {}
};

TEST_F(GrpcFaultsTest, LatencyIsAddedInBothDirections) {
  warm_up();
  const auto latency = arm_kind("latency", R"({"delay": "250ms"})");
  const auto begin = Clock::now();
  EXPECT_EQ(client.say(), StatusCode::OK);
  EXPECT_GE(Clock::now() - begin, 500ms);
  EXPECT_EQ(connections(), 1u);
  EXPECT_TRUE(hit("delay"));
}

TEST_F(GrpcFaultsTest, LatencyIsPipelinedForManyCalls) {
  warm_up();
  const auto latency = arm_kind("latency", R"({"delay": "400ms"})");
  const auto begin = Clock::now();
  std::vector<std::unique_ptr<Call>> calls;
  for (int number = 0; number < 20; ++number) calls.push_back(client.start("Say"));
  for (const auto& call : calls) EXPECT_EQ(call->code(), StatusCode::OK);
  EXPECT_LT(Clock::now() - begin, 1600ms);  // one after the other would be 16 s
}

TEST_F(GrpcFaultsTest, LatencyDoesNotThrottleALargeMessage) {
  warm_up();
  const auto latency = arm_kind("latency", R"({"delay": "100ms"})");
  const auto begin = Clock::now();
  const auto call = client.start("Say", std::string(4 << 20, 'x'));
  EXPECT_EQ(call->response().size(), 4u << 20);
  EXPECT_LT(Clock::now() - begin, 1500ms);  // a wire's window, not a relay's buffer, bounds what is under way
}

TEST_F(GrpcFaultsTest, StallEndsCallsByTheirDeadlineAndTheConnectionLivesOn) {
  warm_up();
  auto stall = arm_kind("stall");
  EXPECT_EQ(client.say(300ms), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
  const auto late = client.start("Say");
  stall.reset();
  EXPECT_EQ(late->code(), StatusCode::OK);
  EXPECT_EQ(connections(), 1u);
  EXPECT_TRUE(hit("hold"));
}

TEST_F(GrpcFaultsTest, RefuseMakesTheServiceUnavailableUntilItIsOver) {
  auto refuse = arm_kind("refuse");
  EXPECT_EQ(client.say(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(connections(), 0u);
  refuse.reset();
  EXPECT_EQ(client.start("Say", "hello", 10s, true)->code(), StatusCode::OK);
}

TEST_F(StillGrpcFaultsTest, ResetEndsTheCallsUnderWayAndTheClientComesBack) {
  warm_up();
  const auto call = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  arm_kind("reset").reset();  // instantaneous
  EXPECT_EQ(call->code(), StatusCode::UNAVAILABLE);
  EXPECT_NE(call->status().error_message().find("reset"), std::string::npos)
      << call->status().error_message();  // ECONNRESET, not "Socket closed"
  EXPECT_TRUE(server.wait_until_cancelled(1));
  const auto lost = recorder.wait_for<faults::CallEnded>(2).back();
  EXPECT_EQ(lost.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(lost.fault, FaultId{"reset"});
  EXPECT_TRUE(client_comes_back());
  EXPECT_EQ(connections(), 2u);
}

TEST_F(GrpcFaultsTest, CloseEndsTheCallsUnderWayWithAFinAndTheClientComesBack) {
  const auto call = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  arm_kind("close").reset();  // instantaneous
  EXPECT_EQ(call->code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(call->status().error_message(), "Socket closed");  // what C-core says of a FIN
  EXPECT_TRUE(server.wait_until_cancelled(1));
  const auto lost = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(lost.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(lost.fault, FaultId{"close"});
  EXPECT_TRUE(client_comes_back());
  EXPECT_EQ(connections(), 2u);
}

TEST_F(GrpcFaultsTest, GrpcDelayMakesTheMatchedMethodSlowAndNoOther) {
  warm_up();
  const auto delay = arm_kind("grpc_delay", R"({"delay": "400ms"})",
                              {.method = "test.Echo/Slow", .stage = faults::Stage::headers});
  const auto begin = Clock::now();
  std::vector<std::unique_ptr<Call>> slow;
  for (int number = 0; number < 10; ++number) slow.push_back(client.start("Slow"));
  EXPECT_EQ(client.say(), StatusCode::OK);
  for (const auto& call : slow) EXPECT_EQ(call->code(), StatusCode::OK);
  EXPECT_GE(Clock::now() - begin, 400ms);
  EXPECT_LT(Clock::now() - begin, 2s);  // one after the other would be 4 s
  EXPECT_EQ(delay->tally(), (faults::FaultTally{.eligible = 10, .hits = 10}));
  EXPECT_TRUE(hit("delay"));
  EXPECT_EQ(connections(), 1u);
}

TEST_F(GrpcFaultsTest, GrpcDelayOfTheAnswerBeyondTheDeadlineEndsTheCallAfterTheWork) {
  warm_up();
  const auto delay = arm_kind("grpc_delay", R"({"delay": "1h"})", {.stage = faults::Stage::response_headers});
  EXPECT_EQ(client.say(300ms), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 2);
}

TEST_F(GrpcFaultsTest, GrpcDelayIsForgottenWhenTheFaultIsOver) {
  warm_up();
  auto delay = arm_kind("grpc_delay", R"({"delay": "1h"})", {.stage = faults::Stage::request_end});
  const auto call = client.start("Say", "patience");
  EXPECT_TRUE(hit("delay"));
  delay.reset();
  EXPECT_EQ(call->code(), StatusCode::OK);
  EXPECT_EQ(call->response(), "patience");
}

// grpc/grpc doc/PROTOCOL-HTTP2.md "Errors", as C-core implements it.
TEST_F(GrpcFaultsTest, RstStreamIsTheStatusOfItsCode) {
  warm_up();
  const std::pair<const char*, StatusCode> codes[] = {{"REFUSED_STREAM", StatusCode::UNAVAILABLE},
                                                      {"CANCEL", StatusCode::CANCELLED},
                                                      {"ENHANCE_YOUR_CALM", StatusCode::RESOURCE_EXHAUSTED},
                                                      {"INADEQUATE_SECURITY", StatusCode::PERMISSION_DENIED},
                                                      {"INTERNAL_ERROR", StatusCode::INTERNAL}};
  for (const auto& [name, status] : codes) {
    const auto torn = arm_kind("rst_stream", std::string(R"({"code": ")") + name + R"("})",
                               {.stage = faults::Stage::headers});
    EXPECT_EQ(client.say(), status) << name;
  }
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);  // only the warming-up
  EXPECT_EQ(client.say(), StatusCode::OK);
  EXPECT_EQ(connections(), 1u);
}

TEST_F(GrpcFaultsTest, RstStreamAtTheRequestsEndFailsThatCallOnly) {
  const auto torn = arm_kind("rst_stream", R"({"code": "INTERNAL_ERROR"})",
                             {.method = "test.Echo/Wait", .stage = faults::Stage::request_end});
  EXPECT_EQ(client.start("Wait")->code(), StatusCode::INTERNAL);
  EXPECT_EQ(client.say(), StatusCode::OK);
}

TEST_F(GrpcFaultsTest, DropConnectionAfterTheWorkTakesTheOtherCallsAlong) {
  const auto other = client.start("Wait");
  ASSERT_TRUE(server.wait_until_waiting(1));
  const auto drop = arm_kind("drop_connection", "{}",
                             {.method = "test.Echo/Say", .stage = faults::Stage::response_headers});
  EXPECT_EQ(client.say(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(other->code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
  EXPECT_TRUE(server.wait_until_cancelled(1));
  const auto ended = wait_for_end();
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"drop_connection"});
  for (const auto& lost : recorder.wait_for<faults::CallEnded>(2)) {
    EXPECT_EQ(lost.how, faults::Ending::ended_by_fault);
    EXPECT_EQ(lost.fault, FaultId{"drop_connection"});
  }
}

TEST_F(GrpcFaultsTest, AcceptHangLeavesANewChannelWaitingForSettings) {
  auto hang = arm_kind("accept_hang", R"({"then": "close"})");
  EXPECT_EQ(client.say(400ms), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(hit("mute"));
  EXPECT_EQ(server.handled("/test.Echo/Say"), 0);
  hang.reset();
  EXPECT_EQ(client.start("Say", "hello", 10s, true)->code(), StatusCode::OK);
}

TEST_F(GrpcFaultsTest, GrpcStatusAnswersInTheServersPlace) {
  warm_up();
  auto status =
      arm_kind("grpc_status", R"({"code": "RESOURCE_EXHAUSTED", "message": "50 % full, \u00fcbel"})");
  const auto call = client.start("Say");
  EXPECT_EQ(call->code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(call->status().error_message(),
            "50 % full, \xc3\xbc"
            "bel");
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);  // only the warming-up
  const auto ended = recorder.wait_for<faults::CallEnded>(2).back();
  EXPECT_EQ(ended.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended.status, breakwire::StatusCode::resource_exhausted);
  EXPECT_EQ(status->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  status.reset();
  EXPECT_EQ(client.say(), StatusCode::OK);
  EXPECT_EQ(connections(), 1u);
}

TEST_F(GrpcFaultsTest, GrpcStatusPicksItsCallsByMethodAndNumber) {
  warm_up();
  const auto status = arm_kind("grpc_status", R"({"code": "UNAVAILABLE"})",
                               {.method = "test.Echo/S*", .calls = {.first = 2}});
  EXPECT_EQ(client.say(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(client.say(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(client.say(), StatusCode::OK);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 2);
  EXPECT_EQ(status->tally(), (faults::FaultTally{.eligible = 3, .hits = 2}));
}

TEST_F(GrpcFaultsTest, GrpcStatusWithForwardLetsTheServerDoTheWork) {
  const auto status = arm_kind("grpc_status", R"({"code": "ABORTED", "forward": true})");
  EXPECT_EQ(client.say(), StatusCode::ABORTED);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
}

TEST_F(GrpcFaultsTest, GrpcHangHoldsOneCallUntilItsDeadlineAndTheOthersPass) {
  warm_up();
  const auto hang = arm_kind("grpc_hang", "{}", {.method = "test.Echo/Wait"});
  const auto held = client.start("Wait", "never", 300ms);
  EXPECT_EQ(client.say(), StatusCode::OK);
  EXPECT_EQ(held->code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.handled("/test.Echo/Wait"), 0);
}

TEST_F(GrpcFaultsTest, GrpcHangLetsTheCallGoOnWhenItIsOver) {
  warm_up();
  auto hang = arm_kind("grpc_hang");
  const auto held = client.start("Say", "patience");
  EXPECT_TRUE(hit("hold"));
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
  hang.reset();
  EXPECT_EQ(held->code(), StatusCode::OK);
  EXPECT_EQ(held->response(), "patience");
  EXPECT_EQ(server.handled("/test.Echo/Say"), 2);
}

TEST_F(GrpcFaultsTest, LoseResponseLetsTheServerWorkOnceAndTheClientNeverHear) {
  warm_up();
  const auto lose = arm_kind("lose_response");
  const auto call = client.start("Say", "order");
  EXPECT_EQ(call->code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(call->response(), "");
  EXPECT_EQ(server.handled("/test.Echo/Say"), 2);
}

TEST_F(GrpcFaultsTest, LoseResponseByHangingLeavesTheDeadlineToEndIt) {
  const auto lose = arm_kind("lose_response", R"({"then": "hang"})");
  EXPECT_EQ(client.say(400ms), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
}

TEST_F(GrpcFaultsTest, LoseResponseByResetCutsTheConnectionAfterTheWork) {
  const auto lose = arm_kind("lose_response", R"({"then": "reset"})");
  const auto call = client.start("Say");
  EXPECT_EQ(call->code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.handled("/test.Echo/Say"), 1);
  const auto ended = wait_for_end();
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"lose_response"});
}

TEST_F(GrpcFaultsTest, ACalleeThatLeavesWhileItsAnswerIsHeldDoesNotTakeItAlong) {
  // The response is held; the server drains and closes; the client gets the answer when the fault is over.
  const auto call = client.start("Wait", "kept");
  ASSERT_TRUE(server.wait_until_waiting(1));
  auto hold = arm(
      "hold", std::make_shared<Scripted>(
                  [](const faults::WireEvent& event) {
                    const auto* reached = std::get_if<faults::CallReached>(&event);
                    const bool here = reached && reached->stage == faults::Stage::response_headers;
                    return here ? faults::WireAction(faults::Hold{}) : faults::WireAction(faults::Forward{});
                  },
                  faults::Scope::calls));
  server.let_go();
  EXPECT_TRUE(hit("hold"));
  server.shut_down();
  hold.reset();
  EXPECT_EQ(call->code(), StatusCode::OK) << call->status().error_message();
  EXPECT_EQ(call->response(), "kept");
}

}  // namespace
}  // namespace breakwire::relay::testing
