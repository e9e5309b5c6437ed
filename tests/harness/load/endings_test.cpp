// However calls and loads end, each call ends once.
#include "tests/harness/load/load_fixture.h"

namespace breakwire::load {
namespace {

class EndingsTest : public LoadFixture {};

TEST_F(EndingsTest, AnUnansweredCallEndsByItsDeadline) {
  server.hold();
  load.deadline = 50ms;
  load.rate = {200};
  load.calls = 5;
  run();
  expect_well_formed(sink);
  ASSERT_EQ(done().size(), 5U);
  for (const auto& event : sink.events()) {
    if (const auto* call = std::get_if<history::CallDone>(&event.what)) {
      EXPECT_EQ(call->status, StatusCode::deadline_exceeded) << call->message;
      EXPECT_GE(event.at, *call->deadline - 1ms);
      EXPECT_LE(event.at, *call->deadline + 1s);
    }
  }
}

TEST_F(EndingsTest, StopBeginsNoFurtherCallsAndLetsOthersFinish) {
  server.hold();
  load.rate = {1000};
  const auto running = begin();
  ASSERT_TRUE(server.wait_for_calls(3));
  running->stop();
  EXPECT_FALSE(running->ended());
  server.release();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  expect_well_formed(sink);
  for (const auto& call : done()) EXPECT_EQ(call.status, StatusCode::ok) << call.message;
}

TEST_F(EndingsTest, StopOfALoadThatWaitsForItsNextCallEndsIt) {
  load.rate = {0.01};
  const auto running = begin();
  ASSERT_TRUE(sink.wait_for_count<history::CallDone>(1));
  running->stop();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  expect_well_formed(sink);
}

TEST_F(EndingsTest, TheDestructorCancelsWhatIsInFlight) {
  server.hold();
  load.deadline.reset();
  load.rate = {1000};
  auto running = begin();
  ASSERT_TRUE(server.wait_for_calls(5));
  running.reset();
  expect_well_formed(sink);
  EXPECT_GE(done().size(), 5U);
  for (const auto& call : done()) EXPECT_EQ(call.status, StatusCode::cancelled) << call.message;
}

TEST_F(EndingsTest, TheDestructorOfAClosedLoadInFullSwingLeavesNoCallOpen) {
  load.model = scenario::LoadModel::closed;
  load.concurrency = 8;
  auto running = begin();
  ASSERT_TRUE(sink.wait_for_count<history::CallDone>(200));
  running.reset();
  expect_well_formed(sink);
}

TEST_F(EndingsTest, AServerThatGoesAwayEndsEveryCallOnce) {
  server.hold();
  load.model = scenario::LoadModel::closed;
  load.concurrency = 6;
  load.calls = 12;
  const auto running = begin();
  ASSERT_TRUE(server.wait_for_calls(6));
  server.shut_down();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  expect_well_formed(sink);
  ASSERT_EQ(done().size(), 12U);
  for (const auto& call : done()) EXPECT_EQ(call.status, StatusCode::unavailable) << call.message;
}

TEST_F(EndingsTest, CallsSucceedAgainSoonAfterTheServerIsBack) {
  const std::string target = server.target();
  server.shut_down();
  load.rate = {100};
  const auto running = begin();
  ASSERT_TRUE(sink.wait_for_count<history::CallDone>(5));
  KioskServer again(std::stoi(target.substr(target.find(':') + 1)));
  const Instant back = std::chrono::steady_clock::now();
  ASSERT_TRUE(sink.wait([](const auto& events) {
    const auto* call = std::get_if<history::CallDone>(&events.back().what);
    return call != nullptr && call->status == StatusCode::ok;
  }));
  EXPECT_LT(std::chrono::steady_clock::now() - back, 2s);  // gRPC's default back-off would be 1 s, growing
}

TEST_F(EndingsTest, CancelAfterCancelsWhatIsOnTheWayAndSaysSoBeforeTheCallEnds) {
  server.hold();
  load.cancel_after = 30ms;
  load.rate = {200};
  load.calls = 4;
  run();
  expect_well_formed(sink);
  std::map<uint64_t, Instant> issued_at, cancelled;
  for (const auto& event : sink.events()) {
    if (const auto* call = std::get_if<history::CallIssued>(&event.what)) issued_at[call->number] = event.at;
    if (const auto* cancel = std::get_if<history::CallCancelled>(&event.what)) {
      EXPECT_TRUE(cancelled.emplace(cancel->number, event.at).second) << "twice: " << cancel->call_id;
      EXPECT_EQ(cancel->load.text, "shoppers");
      EXPECT_EQ(cancel->call_id, "shoppers-" + std::to_string(cancel->number));
      EXPECT_GE(event.at, issued_at[cancel->number] + 30ms);
    }
    if (const auto* call = std::get_if<history::CallDone>(&event.what)) {
      EXPECT_EQ(call->status, StatusCode::cancelled) << call->message;
      EXPECT_TRUE(cancelled.contains(call->number)) << call->call_id;
    }
  }
  EXPECT_EQ(cancelled.size(), 4U);
}

TEST_F(EndingsTest, ACallThatIsOverByThenIsNotCancelled) {
  load.cancel_after = 4s;
  load.calls = 3;
  load.rate = {200};
  run();
  expect_well_formed(sink);
  for (const auto& call : done()) EXPECT_EQ(call.status, StatusCode::ok) << call.message;
  EXPECT_TRUE(sink.all<history::CallCancelled>().empty());
}

TEST_F(EndingsTest, NobodyListeningIsToldByTheCalls) {
  server.shut_down();
  load.calls = 2;
  load.rate = {100};
  run();
  expect_well_formed(sink);
  for (const auto& call : done()) {
    EXPECT_EQ(call.status, StatusCode::unavailable);
    EXPECT_NE(call.message.find("Connection refused"), std::string::npos) << call.message;
  }
}

}  // namespace
}  // namespace breakwire::load
