// Streams of all three kinds: what is sent, what is counted, and that however one ends it ends once.
#include "tests/harness/load/load_fixture.h"

namespace breakwire::load {
namespace {

class StreamsTest : public LoadFixture {
 protected:
  void SetUp() override {
    LoadFixture::SetUp();
    load.calls = 1;
  }

  void use(const std::string& name) {
    load.method = "kiosk.v1.KioskService/" + name;
    auto found = find_method(load.method, {}, server.target(), 5s, {});
    ASSERT_TRUE(found) << render(found.errors());
    method = *found;
  }

  void send(const std::string& messages) {
    const auto parsed = json::parse(messages, "m.json");
    ASSERT_TRUE(parsed) << render(parsed.errors());
    if (parsed->is(json::Kind::array)) {
      load.messages = parsed->items;
      load.request = json::object();
    } else {
      load.request = *parsed;
    }
  }

  void expect_all(StatusCode status, uint64_t responses) {
    expect_well_formed(sink);
    for (const auto& call : done()) {
      EXPECT_EQ(call.status, status) << call.call_id << " " << call.message;
      EXPECT_EQ(call.responses, responses) << call.call_id;
    }
  }
};

TEST_F(StreamsTest, AServerStreamIsReadToItsEndAndItsMessagesCounted) {
  use("WatchSpecials");
  send(R"({"count": 7})");
  load.calls = 3;
  run();
  ASSERT_EQ(done().size(), 3U);
  expect_all(StatusCode::ok, 7);
}

TEST_F(StreamsTest, AServerStreamMayBeEmpty) {
  use("WatchSpecials");
  send("{}");
  run();
  expect_all(StatusCode::ok, 0);
}

TEST_F(StreamsTest, AServerStreamThatNeverEndsEndsByItsDeadline) {
  use("WatchSpecials");
  send(R"({"count": 2, "keep_open": true})");
  load.deadline = 150ms;
  run();
  expect_all(StatusCode::deadline_exceeded, 2);
}

TEST_F(StreamsTest, CancelAfterEndsAStreamToo) {
  use("WatchSpecials");
  send(R"({"count": 2, "keep_open": true})");
  load.cancel_after = 150ms;
  load.calls = 3;
  load.rate = {200};
  run();
  ASSERT_EQ(done().size(), 3U);
  expect_all(StatusCode::cancelled, 2);
  EXPECT_EQ(sink.all<history::CallCancelled>().size(), 3U);
}

TEST_F(StreamsTest, AClientStreamSendsItsMessagesInOrderAndHasOneResponse) {
  use("FillShelf");
  send(R"([{"order_id": "first of ${call}"}, {"order_id": "${uuid}"}, {"order_id": "last"}])");
  load.calls = 2;
  run();
  ASSERT_EQ(done().size(), 2U);
  expect_all(StatusCode::ok, 1);
  for (uint64_t number : {1, 2}) {
    const CallIds ids = ids_of(42, load.id, number);
    EXPECT_EQ(server.heard(ids.call_id),
              (std::vector<std::string>{"first of " + ids.call_id, ids.uuid, "last"}));
  }
}

TEST_F(StreamsTest, ARequestIsAStreamOfOneMessage) {
  use("FillShelf");
  send(R"({"order_id": "only"})");
  run();
  expect_all(StatusCode::ok, 1);
  EXPECT_EQ(server.heard("shoppers-1"), std::vector<std::string>{"only"});
}

TEST_F(StreamsTest, ABidirectionalStreamSendsAndReadsAtTheSameTime) {
  use("Haggle");
  send(R"([{"order_id": "a", "quantity": 1}, {"order_id": "b"}, {"order_id": "c", "quantity": 3}])");
  run();
  expect_all(StatusCode::ok, 4);
  EXPECT_EQ(server.heard("shoppers-1"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(StreamsTest, AServerThatHasEnoughEndsTheCallWhileMessagesAreStillToBeSent) {
  use("FillShelf");
  // Far more than flow control lets out at once: a write is waiting when the status comes.
  const std::string much(1'000'000, 'x');
  load.messages = {json::object({{"order_id", "first"}, {"quantity", -1}})};
  for (int i = 0; i < 5; ++i) load.messages.push_back(json::object({{"order_id", much}}));
  load.calls = 4;
  load.rate = {100};
  run();
  ASSERT_EQ(done().size(), 4U);
  expect_all(StatusCode::failed_precondition, 0);
  for (const auto& call : done()) EXPECT_EQ(call.message, "sold out");
}

TEST_F(StreamsTest, AnOkWithoutTheOneResponseOfTheMethodIsNone) {
  use("FillShelf");  // what the load thinks it calls
  for (const auto& [quantity, answered] : {std::pair{0, "0 messages"}, std::pair{2, "2 messages"}}) {
    SCOPED_TRACE(answered);
    load.messages = {json::object({{"quantity", quantity}})};
    load.method = "kiosk.v1.KioskService/Haggle";  // what answers
    run();
    const auto call = done().back();
    EXPECT_EQ(call.status, StatusCode::unimplemented);
    EXPECT_TRUE(call.message.starts_with(answered)) << call.message;
    EXPECT_EQ(call.responses, static_cast<uint64_t>(quantity));
  }
}

TEST_F(StreamsTest, AServerThatGoesAwayEndsEveryStreamOnce) {
  use("WatchSpecials");
  send(R"({"count": 1, "keep_open": true})");
  load.model = scenario::LoadModel::closed;
  load.concurrency = 5;
  load.calls = 5;
  const auto running = begin();
  ASSERT_TRUE(sink.wait_for_count<history::CallIssued>(5));
  server.shut_down();
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  expect_well_formed(sink);
  for (const auto& call : done()) EXPECT_NE(call.status, StatusCode::ok) << call.call_id;
}

TEST_F(StreamsTest, NobodyListeningIsToldByTheCalls) {
  std::map<std::string, std::shared_ptr<const Method>> methods;
  for (const char* name : {"WatchSpecials", "FillShelf", "Haggle"}) {
    use(name);
    methods[load.method] = method;
  }
  server.shut_down();
  load.request = json::object();
  for (const auto& [name, found] : methods) {
    load.method = name;
    method = found;
    run();
  }
  ASSERT_EQ(done().size(), 3U);
  for (const auto& call : done()) EXPECT_EQ(call.status, StatusCode::unavailable) << call.message;
}

TEST_F(StreamsTest, TheDestructorCancelsStreamsOfAllKinds) {
  use("Haggle");
  load.deadline.reset();
  load.calls.reset();
  load.rate = {500};
  send(R"([{"order_id": "a", "quantity": 1000000}])");
  auto running = begin();
  ASSERT_TRUE(sink.wait_for_count<history::CallIssued>(5));
  running.reset();
  expect_well_formed(sink);
}

TEST_F(StreamsTest, TellsTheFieldsOfTheFirstMessage) {
  use("FillShelf");
  send(R"([{"order_id": "first"}, {"order_id": "second"}])");
  const auto running = start(
      {.load = load, .method = method, .target = server.target(), .seed = 42, .fields = {"order_id"}}, sink);
  ASSERT_TRUE(sink.wait_for_count<history::LoadEnded>(1));
  ASSERT_EQ(issued().size(), 1U);
  EXPECT_EQ(issued()[0].fields, (std::vector<history::CallIssued::Field>{{"order_id", "first"}}));
}

TEST_F(StreamsTest, MessagesAreForMethodsThatTakeMany) {
  send(R"([{"order_id": "first"}])");
  for (const char* name : {"Buy", "WatchSpecials"}) {
    use(name);
    const auto problems = problems_of(load, *method, 1);
    ASSERT_FALSE(problems.empty()) << name;
    EXPECT_EQ(problems[0].what,
              "`kiosk.v1.KioskService/" + std::string(name) + "` takes one message, not a stream of them");
    EXPECT_EQ(problems[0].where.file, "m.json");
    EXPECT_EQ(problems[0].where.column, 2U);
  }
}

TEST_F(StreamsTest, EveryMessageIsLookedAt) {
  use("Haggle");
  send(R"([{"order_id": "first"}, {"oder_id": "second"}, {"quantity": "x"}])");
  const auto problems = problems_of(load, *method, 1);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].what, "kiosk.v1.BuyRequest has no field `oder_id`");
  EXPECT_EQ(problems[1].what, "field `quantity` is of type int32 and cannot be \"x\"");
}

}  // namespace
}  // namespace breakwire::load
