// What a load sends, when, and over which connections: as a real server sees it.
#include <algorithm>
#include <set>

#include "tests/harness/load/load_fixture.h"

namespace breakwire::load {
namespace {

using scenario::LoadModel;

class ClientTest : public LoadFixture {};

TEST_F(ClientTest, OpenModelIssuesEachCallAtItsTimeAndCountsLatencyFromThere) {
  load.rate = {200};
  load.length = 250ms;
  run();
  expect_well_formed(sink);
  const Instant began = sink.events().front().at;
  const auto calls = issued();
  ASSERT_EQ(calls.size(), 50U);
  for (const auto& call : calls)
    EXPECT_EQ(call.intended, began + 5ms * static_cast<int>(call.number - 1)) << call.call_id;
  for (const auto& event : sink.events()) {
    if (const auto* call = std::get_if<history::CallIssued>(&event.what)) {
      EXPECT_GE(event.at, call->intended);
    }
  }
  for (const auto& call : done()) {
    EXPECT_EQ(call.status, StatusCode::ok) << call.message;
    EXPECT_EQ(call.responses, 1U);
    EXPECT_EQ(call.deadline, call.issued + 5s);
  }
  EXPECT_EQ(server.seen().size(), 50U);
}

TEST_F(ClientTest, OpenModelDoesNotWaitForAnswers) {
  server.hold();
  load.rate = {500};
  load.calls = 40;
  const auto running = begin();
  EXPECT_TRUE(server.wait_for_calls(40));
  EXPECT_TRUE(done().empty());
  EXPECT_FALSE(running->ended());
  server.release();
  EXPECT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  expect_well_formed(sink);
}

TEST_F(ClientTest, ClosedModelKeepsSoManyCallsInFlightAndNeverMore) {
  load.model = LoadModel::closed;
  load.concurrency = 4;
  load.calls = 400;
  server.hold();
  const auto running = begin();
  ASSERT_TRUE(server.wait_for_calls(4));
  EXPECT_EQ(issued().size(), 4U);
  server.release();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  expect_well_formed(sink);
  EXPECT_EQ(done().size(), 400U);
  EXPECT_EQ(server.most_in_flight(), 4U);
  size_t open = 0, most = 0;
  for (const auto& event : sink.events()) {
    if (std::holds_alternative<history::CallIssued>(event.what)) most = std::max(most, ++open);
    if (std::holds_alternative<history::CallDone>(event.what)) --open;
  }
  EXPECT_EQ(most, 4U);
}

TEST_F(ClientTest, ClosedModelDoesNotSpinOnARefusedConnection) {
  server.shut_down();
  load.model = LoadModel::closed;
  load.length = 200ms;
  run();
  expect_well_formed(sink);
  EXPECT_GE(issued().size(), 2U);
  EXPECT_LE(issued().size(), 21U);
  for (const auto& call : done()) EXPECT_EQ(call.status, StatusCode::unavailable);
}

TEST_F(ClientTest, ConnectionsAreSeparateAndTakenInTurn) {
  load.connections = 3;
  load.rate = {500};
  load.calls = 12;
  run();
  std::map<std::string, std::vector<std::string>> calls_of_peer;
  for (const auto& seen : server.seen()) calls_of_peer[seen.peer].push_back(seen.one("x-breakwire-call"));
  ASSERT_EQ(calls_of_peer.size(), 3U);
  for (const auto& [peer, calls] : calls_of_peer) EXPECT_EQ(calls.size(), 4U) << peer;
}

TEST_F(ClientTest, TwoLoadsDoNotShareAConnection) {
  load.calls = 1;
  run();
  const auto first = begin();
  load.id = {"others"};
  const auto second = begin();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(3));
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_NE(seen[1].peer, seen[2].peer);
}

TEST_F(ClientTest, StampsEveryCallWithIdsThatAReplayRepeats) {
  load.rate = {500};
  load.calls = 20;
  load.metadata = {
      {"idempotency-key", "${uuid}"}, {"note", "of ${call}"}, {"blob-bin", std::string("\0\xff", 2)}};
  run();
  run();
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 40U);
  std::map<std::string, std::vector<KioskServer::Seen>> by_call;
  for (const auto& call : seen) by_call[call.one("x-breakwire-call")].push_back(call);
  ASSERT_EQ(by_call.size(), 20U);
  std::set<std::string> uuids;
  for (uint64_t number = 1; number <= 20; ++number) {
    const CallIds ids = ids_of(42, load.id, number);
    uuids.insert(ids.uuid);
    const auto& calls = by_call[ids.call_id];
    ASSERT_EQ(calls.size(), 2U) << ids.call_id;
    for (const auto& call : calls) {
      EXPECT_EQ(call.one("traceparent"), "00-" + ids.trace_id + "-" + ids.span_id + "-01");
      EXPECT_EQ(call.one("idempotency-key"), ids.uuid);
      EXPECT_EQ(call.one("note"), "of " + ids.call_id);
      EXPECT_EQ(call.one("blob-bin"), std::string("\0\xff", 2));
      EXPECT_EQ(call.request.order_id(), ids.uuid);
      EXPECT_EQ(call.request.labels().at("call"), ids.call_id);
      EXPECT_TRUE(call.deadline);
    }
  }
  EXPECT_EQ(uuids.size(), 20U);
  for (const auto& call : issued()) EXPECT_EQ(call.trace_id, ids_of(42, load.id, call.number).trace_id);
}

TEST_F(ClientTest, SendsNoDeadlineWhereNoneIsGiven) {
  load.deadline.reset();
  load.calls = 1;
  run();
  ASSERT_EQ(server.seen().size(), 1U);
  EXPECT_FALSE(server.seen()[0].deadline);
  EXPECT_EQ(issued()[0].deadline, std::nullopt);
}

TEST_F(ClientTest, NoProxyOfTheEnvironmentStandsInBetween) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  load.calls = 1;
  run();
  unsetenv("http_proxy");
  ASSERT_EQ(done().size(), 1U);
  EXPECT_EQ(done()[0].status, StatusCode::ok) << done()[0].message;
}

TEST_F(ClientTest, TellsTheFieldsThatAreWishedForAndNoOthers) {
  load.request.set("labels", json::object({{"call", "${call}"}}));
  load.calls = 2;
  const auto running = start({.load = load,
                              .method = method,
                              .target = server.target(),
                              .seed = 42,
                              .fields = {"order_id", "absent"}},
                             sink);
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  const auto calls = issued();
  ASSERT_EQ(calls.size(), 2U);
  for (const auto& call : calls) {
    ASSERT_EQ(call.fields.size(), 1U);
    EXPECT_EQ(call.fields[0].name, "order_id");
    EXPECT_EQ(call.fields[0].value, ids_of(42, {"shoppers"}, call.number).uuid);
  }
}

TEST_F(ClientTest, RetriesOnlyWithAServiceConfig) {
  server.answer_with({grpc::StatusCode::UNAVAILABLE, "later"});
  load.calls = 1;
  run();
  EXPECT_EQ(server.seen().size(), 1U);

  load.service_config = json::parse(R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3,
      "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
      "retryableStatusCodes": ["UNAVAILABLE"]}}]})",
                                    "f")
                            .value();
  run();
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[3].one("grpc-previous-rpc-attempts"), "2");
  EXPECT_EQ(seen[3].one("x-breakwire-call"), "shoppers-1");
  ASSERT_EQ(done().size(), 2U);
  EXPECT_EQ(done()[1].status, StatusCode::unavailable);
  EXPECT_EQ(done()[1].message, "later");
  EXPECT_EQ(done()[1].responses, 0U);
}

}  // namespace
}  // namespace breakwire::load
