// What the two peers get of each other: undisturbed sessions, and calls that faults hold, answer and reset.
#include <gtest/gtest.h>

#include "tests/faults/http2/world.h"

namespace breakwire::http2::testing {
namespace {

using faults::Direction;
using faults::Stage;

TEST(SessionTest, TellsACallWithBothTimes) {
  World world;
  world.echo();
  world.client.request(
      request_fields("shop.Orders/Place",
                     {{"grpc-timeout", "250m"},
                      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                      {"grpc-previous-rpc-attempts", "2"},
                      {"x-breakwire-call", "c-17"},
                      {"x-request-id", "r-9"}}),
      grpc_message("hello"));
  world.run();
  const faults::FrameTimes times{world.now, world.now};
  const EdgeId edge{"a->b"};
  const ConnectionId connection{7};
  std::vector<faults::Observation> expected{
      faults::CallStarted{edge, connection, 1, times, "shop.Orders/Place", "shop", 250ms,
                          "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 2, "c-17", "r-9"},
      faults::MessageSeen{edge, connection, 1, times, Direction::request, 0, 5},
      faults::ResponseStarted{edge, connection, 1, times, 200},
      faults::MessageSeen{edge, connection, 1, times, Direction::response, 0, 5},
      faults::CallEnded{edge, connection, 1, times, faults::Ending::trailers, StatusCode::ok, "", {}, {}},
  };
  EXPECT_EQ(world.host.seen, expected);
  EXPECT_EQ(world.session.live_calls(), 0u);
  EXPECT_EQ(world.host.forgotten, std::vector<StreamId>{1});
}

TEST(SessionTest, EndCallAtHeadersAnswersTrailersOnlyAndTheServerNeverSeesTheCall) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    if (reached.call->method != "s/Broken") return faults::Ruling{};
    return ruling(faults::EndCall{StatusCode::unavailable, "50% off", {{"x-why", "fault"}}}, "status");
  };
  world.client.request(request_fields("s/Broken"), grpc_message("one"));
  world.client.request(request_fields("s/Free"), grpc_message("two"));
  world.run();
  const faults::Metadata answer{{":status", "200"},
                                {"content-type", "application/grpc"},
                                {"grpc-status", "14"},
                                {"grpc-message", "50%25 off"},
                                {"x-why", "fault"}};
  EXPECT_EQ(world.client.streams[1].trailers, answer);
  EXPECT_EQ(world.client.streams[1].closed, 0u);
  EXPECT_EQ(world.client.streams[3].body, grpc_message("two"));
  EXPECT_EQ(world.server.streams.count(1), 0u);
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  const auto hits = world.host.all<faults::FaultHit>();
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].fault.text, "status");
  EXPECT_EQ(hits[0].action, "end_call");
  const auto ended = world.host.all<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::unavailable);
  EXPECT_EQ(ended[0].times.forwarded, world.now);
}

TEST(SessionTest, ALostResponseIsReadToItsEndAndThenAnsweredByTheFault) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage == Stage::headers) return ruling(faults::WithholdResponse{}, "lose");
    if (reached.stage == Stage::response_end)
      return ruling(faults::EndCall{StatusCode::unavailable, "lost", {}}, "lose");
    return faults::Ruling{};
  };
  // More than all windows together, so that swallowed DATA must be credited.
  const std::string big(400'000, 'x');
  world.client.request(request_fields("s/M"), grpc_message(big));
  world.run();
  EXPECT_EQ(world.server.streams[1].body, grpc_message(big));
  EXPECT_TRUE(world.server.streams[1].closed.has_value());
  EXPECT_EQ(world.client.streams[1].body, "");
  EXPECT_EQ(faults::value_of(world.client.streams[1].trailers, "grpc-status"), "14");
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  const auto ended = world.host.all<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, faults::Ending::ended_by_fault);
}

TEST(SessionTest, DelaysArePipelinedAndKeepTheCallsOrder) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    faults::Ruling ruled;
    if (reached.stage == Stage::request_message) {
      ruled.delay = 300ms;
      ruled.delayed_by = {{"slow"}};
    }
    return ruled;
  };
  const int32_t id = world.client.request(request_fields("s/M"), grpc_message("one"), false);
  world.run();
  world.wait(100ms);
  world.client.send(id, grpc_message("two"), true);
  world.run();
  EXPECT_EQ(world.server.streams[1].body, "");
  EXPECT_EQ(world.session.next_due(), world.now + 200ms);
  world.wait(200ms);
  EXPECT_EQ(world.server.streams[1].body, grpc_message("one"));
  EXPECT_FALSE(world.server.streams[1].end);
  world.wait(100ms);
  EXPECT_EQ(world.client.streams[1].body, grpc_message("one") + grpc_message("two"));
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace breakwire::http2::testing
