// Messages that are cut off: exactly so much of them leaves, their stream ends in order, and no window leaks.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;

/// Cuts message `index` of every call on stream `stream`, 0 for all.
std::function<faults::Ruling(const faults::CallReached&)> cutting(Stage stage, uint64_t bytes,
                                                                  uint64_t index = 0, StreamId stream = 0) {
  return [=](const faults::CallReached& reached) {
    const bool here =
        reached.stage == stage && reached.message == index && (stream == 0 || reached.call->stream == stream);
    return here ? ruling(faults::CutMessage{bytes}, "cut") : faults::Ruling{};
  };
}

TEST(CutTest, ARequestEndsAfterSoManyBytesAndItsSenderNoticesNothing) {
  Wire wire;
  wire.begin();
  wire.host.rule = cutting(Stage::request_message, 7);
  wire.client(Wire::request(1) + Wire::data(1, grpc_message("hello")));
  EXPECT_EQ(wire.to_server(),
            Wire::request(1) + Wire::data(1, grpc_message("hello").substr(0, 7)) + Wire::data(1, "", true));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 3) + Wire::window_update(1, 3));
  wire.client(Wire::data(1, grpc_message("more")));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 9) + Wire::window_update(1, 9));
  wire.client(Wire::data(1, "", true));
  const std::string response =
      Wire::headers(1, response_fields()) + Wire::headers(1, {{"grpc-status", "13"}}, true);
  wire.server(response);
  EXPECT_EQ(wire.to_client(), response);
  EXPECT_EQ(wire.to_server(), "");
  // The service has ended it, by what it got.
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::trailers);
  EXPECT_EQ(ended[0].status, StatusCode::internal);
  for (const auto& message : wire.seen<faults::MessageSeen>()) {
    EXPECT_EQ(message.times.forwarded, std::nullopt);
  }
  EXPECT_EQ(wire.seen<faults::MessageSeen>().size(), 2u);
  EXPECT_EQ(wire.seen<faults::FaultHit>()[0].action, "cut_message");
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(CutTest, ADelayReachesALargeMessageThatIsCutAtItsBeginning) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != Stage::request_message || !reached.early) return faults::Ruling{};
    faults::Ruling late = ruling(faults::CutMessage{7}, "cut");
    late.delay = 100ms;
    late.delayed_by = {{"slow"}};
    late.delays = {100ms};
    return late;
  };
  const std::string message = grpc_message(std::string(1000, 'm'));
  wire.client(Wire::request(1) + Wire::data(1, message.substr(0, 500)));
  EXPECT_EQ(wire.to_server(), Wire::request(1));
  wire.client(Wire::data(1, message.substr(500), true));
  EXPECT_EQ(wire.to_server(), "");
  wire.now += 100ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_server(), Wire::data(1, message.substr(0, 7)) + Wire::data(1, "", true));
  std::vector<std::string> hits;
  for (const auto& hit : wire.seen<faults::FaultHit>()) hits.push_back(hit.action);
  EXPECT_EQ(hits, (std::vector<std::string>{"delay", "cut_message"}));
}

TEST(CutTest, ACallerThatStillSendsWhenItIsAnsweredIsToldToStop) {
  Wire wire;
  wire.begin();
  wire.host.rule = cutting(Stage::request_message, 5);
  wire.client(Wire::request(1) + Wire::data(1, grpc_message("hello")));
  wire.to_client();
  wire.to_server();
  const std::string response = Wire::headers(1, response_fields()) + Wire::headers(1, ok_trailers(), true);
  wire.server(response);
  EXPECT_EQ(wire.to_client(), response + Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.to_server(), "");
  wire.client(Wire::data(1, "late"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 4));
}

TEST(CutTest, AResponseKeepsItsTrailers) {
  Wire wire;
  wire.begin();
  wire.host.rule = cutting(Stage::response_message, 5, 1);
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.server(Wire::headers(1, response_fields()) +
              Wire::data(1, grpc_message("one") + grpc_message("two") + grpc_message("three")));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")) +
                                  Wire::data(1, grpc_message("two").substr(0, 5)));
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 13) + Wire::window_update(1, 13));
  wire.server(Wire::data(1, grpc_message("four")) + Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, ok_trailers(), true));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::ok);  // which is what the caller was told
  EXPECT_EQ(ended[0].fault.text, "cut");
  const auto messages = wire.seen<faults::MessageSeen>();
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].times.forwarded, wire.now);
  EXPECT_EQ(messages[1].times.forwarded, std::nullopt);
  EXPECT_EQ(messages[3].index, 3u);
}

TEST(CutTest, AResponseThatEndsOnDataEndsSo) {
  Wire wire;
  wire.begin();
  wire.host.rule = cutting(Stage::response_message, 6);
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one"), true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) +
                                  Wire::data(1, grpc_message("one").substr(0, 6)) + Wire::data(1, "", true));
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 1u);
}

struct PiecesCase {
  uint64_t bytes;
  size_t message;             // size without prefix
  std::vector<size_t> sizes;  // in which the message with its prefix comes, the rest in one
  size_t arrives;
};
class CutPiecesTest : public ::testing::TestWithParam<PiecesCase> {};

// Cut-through means that its beginning leaves before its end is here; the cut is exact all the same.
TEST_P(CutPiecesTest, IsExactHoweverTheMessageComes) {
  const auto& tested = GetParam();
  for (const Stage stage : {Stage::request_message, Stage::response_message}) {
    World world;
    world.host.rule = cutting(stage, tested.bytes, 1);
    world.server.on_request = [&](int32_t id) {
      if (stage == Stage::request_message) world.server.respond(id, response_fields(), "", ok_trailers());
    };
    const std::string before = grpc_message("before");
    const std::string whole = grpc_message(std::string(tested.message, 'm'));
    const int32_t id = world.client.request(request_fields("s/M"), before, false);
    if (stage == Stage::response_message) world.client.send(id, "", true);
    world.run();
    size_t at = 0;
    if (stage == Stage::request_message) {
      for (size_t size : tested.sizes) {
        world.client.send(id, whole.substr(at, size), false);
        at += size;
        world.run();
      }
      world.client.send(id, whole.substr(at) + grpc_message("after"), true);
      world.run();
      EXPECT_EQ(world.server.streams[id].body, before + whole.substr(0, tested.arrives));
      EXPECT_TRUE(world.server.streams[id].end);
    } else {
      world.server.respond(id, response_fields(), before + whole + grpc_message("after"), ok_trailers());
      world.run();
      EXPECT_EQ(world.client.streams[id].body, before + whole.substr(0, tested.arrives));
    }
    EXPECT_EQ(world.client.streams[id].trailers, ok_trailers());
    EXPECT_EQ(world.client.streams[id].closed, 0u);
    EXPECT_EQ(world.complaints(), std::vector<std::string>{});
    EXPECT_EQ(world.session.live_calls(), 0u);
    EXPECT_EQ(world.host.all<faults::FaultHit>().size(), 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CutPiecesTest,
                         ::testing::Values(PiecesCase{7, 10, {}, 7}, PiecesCase{0, 10, {}, 0},
                                           PiecesCase{0, 10, {1, 1}, 0},
                                           PiecesCase{3, 10, {1, 1, 1, 1, 1, 1}, 3},
                                           PiecesCase{5, 10, {3, 1}, 5},
                                           PiecesCase{100, 10, {}, 14},  // one byte less than there is
                                           PiecesCase{100, 10, {2, 9}, 14}, PiecesCase{5, 0, {}, 4},
                                           PiecesCase{5, 0, {2}, 4}, PiecesCase{10, 200'000, {4, 50'000}, 10},
                                           PiecesCase{100'000, 200'000, {4, 50'000, 20'000}, 100'000},
                                           PiecesCase{1'000'000, 200'000, {100'000}, 200'004}));

TEST(CutTest, WaitsForRoomLikeAllDataAndStaysCutWhenItsFaultIsOver) {
  Wire wire;
  wire.begin();
  wire.host.rule = cutting(Stage::request_message, 70'000);
  const std::string message = grpc_message(std::string(100'000, 'm'));
  wire.client(Wire::request(1) + Wire::data(1, message.substr(0, 65'535)));
  wire.to_server();
  wire.server(Wire::window_update(0, 65'535) + Wire::window_update(1, 1'000));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 65'535) + Wire::window_update(1, 1'000));
  wire.client(Wire::data(1, message.substr(65'535, 1'000)));
  EXPECT_EQ(wire.to_server(), Wire::data(1, message.substr(65'535, 1'000)));
  wire.clear("cut");
  wire.host.rule = {};
  wire.server(Wire::window_update(1, 10'000));
  wire.to_client();
  wire.client(Wire::data(1, message.substr(66'535, 10'000)));
  EXPECT_EQ(wire.to_server(), Wire::data(1, message.substr(66'535, 3'465)) + Wire::data(1, "", true));
}

TEST(CutTest, AMessageThatWasUnderWayWhenTheFaultCameLosesWhatIsStillHere) {
  for (const uint64_t bytes : {6u, 12u, 1'000u}) {
    Wire wire;
    wire.begin();
    const std::string message = grpc_message("0123456789");
    wire.client(Wire::request(1) + Wire::data(1, message.substr(0, 10)));
    EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, message.substr(0, 10)));
    wire.host.rule = cutting(Stage::request_message, bytes);
    wire.client(Wire::data(1, message.substr(10)));
    const size_t more = bytes == 6u ? 0 : bytes == 12u ? 2 : 4;
    EXPECT_EQ(wire.to_server(),
              (more == 0 ? "" : Wire::data(1, message.substr(10, more))) + Wire::data(1, "", true));
  }
}

TEST(CutTest, ManyCutCallsLeakNoWindow) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    const Stage stage = reached.call->stream % 4 == 1 ? Stage::request_message : Stage::response_message;
    return reached.stage == stage && reached.call->method == "s/Cut"
               ? ruling(faults::CutMessage{1'000}, "cut")
               : faults::Ruling{};
  };
  for (int i = 0; i < 300; ++i) {
    world.client.request(request_fields("s/Cut"), grpc_message(std::string(40'000, 'c')));
    world.run();
  }
  const std::string body = grpc_message(std::string(500'000, 'f'));
  const int32_t id = world.client.request(request_fields("s/Free"), body);
  world.run();
  EXPECT_TRUE(world.client.streams[id].body == body);
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.session.live_calls(), 0u);
}

TEST(CutTest, ACancelInTheMiddleOfACutEndsTheCallOnce) {
  Wire wire;
  wire.begin();
  wire.host.rule = cutting(Stage::request_message, 50);
  wire.client(Wire::request(1) + Wire::data(1, grpc_message(std::string(100, 'm')).substr(0, 20)));
  wire.client(Wire::reset(1, Http2Error::cancel));
  EXPECT_TRUE(wire.to_server().ends_with(Wire::reset(1, Http2Error::cancel)));
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 1u);
  EXPECT_EQ(wire.host.forgotten, std::vector<StreamId>{1});
}

}  // namespace
}  // namespace breakwire::http2::testing
