// DATA of single calls that leaves at a pace, while the connection and its other calls do not wait.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

faults::Ruling pacing(faults::Pace pace, std::string by = "slow") {
  return {.effects = {{.by = {std::move(by)}, .action = pace}}};
}

/// Requests to s/Slow are paced.
std::function<faults::Ruling(const faults::CallReached&)> slow_requests(faults::Pace pace) {
  return [=](const faults::CallReached& reached) {
    return reached.stage == Stage::headers && reached.call->method == "s/Slow" ? pacing(pace)
                                                                               : faults::Ruling{};
  };
}

std::string slow_request(StreamId id) { return Wire::headers(id, request_fields("s/Slow")); }

std::string leaving_at(Wire& wire, Instant when) {
  wire.now = when;
  wire.session.advance(when);
  return wire.to_server();
}

TEST(PaceTest, PiecesLeaveAfterTheirGapsAndAreFilledByWhatComes) {
  Wire wire;
  wire.begin();
  wire.host.rule = slow_requests({.bytes = 10, .gap = 100ms});
  const Instant start = wire.now;
  wire.client(slow_request(1) + Wire::data(1, "0123456789abcdefghijABCDE"));
  EXPECT_EQ(wire.to_server(), slow_request(1) + Wire::data(1, "0123456789"));
  EXPECT_EQ(wire.session.next_due(), start + 100ms);
  EXPECT_EQ(leaving_at(wire, start + 99ms), "");
  EXPECT_EQ(leaving_at(wire, start + 100ms), Wire::data(1, "abcdefghij"));
  EXPECT_EQ(leaving_at(wire, start + 200ms), Wire::data(1, "ABCDE"));
  EXPECT_EQ(wire.session.next_due(), std::nullopt);
  wire.client(Wire::data(1, "FGHIJKLM", true));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "FGHIJ"));
  EXPECT_EQ(wire.session.next_due(), start + 300ms);
  EXPECT_EQ(leaving_at(wire, start + 300ms), Wire::data(1, "KLM", true));
  EXPECT_EQ(wire.seen<faults::FaultHit>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::FaultHit>()[0].action, "pace");
  EXPECT_EQ(wire.host.done, (std::vector<std::pair<FaultId, StreamId>>{{{"slow"}, 1}}));
}

TEST(PaceTest, AResponsesTrailersComeBehindItsData) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::response_headers ? pacing({.bytes = 8, .gap = 1s}) : faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one") + grpc_message("two")) +
              Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")));
  wire.now += 1s;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_client(), Wire::data(1, grpc_message("two")) + Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(PaceTest, HoldsUpNeitherOtherCallsNorPings) {
  Wire wire;
  wire.begin();
  wire.host.rule = slow_requests({.bytes = 1, .gap = 1h});
  wire.client(slow_request(1) + Wire::data(1, "slow") + Wire::request(3) + Wire::data(3, "quick", true));
  const std::string ping = frame(FrameType::ping, 0, 0, "12345678");
  wire.client(ping);
  EXPECT_EQ(wire.to_server(),
            slow_request(1) + Wire::data(1, "s") + Wire::request(3) + Wire::data(3, "quick", true) + ping);
}

TEST(PaceTest, WhatHadWaitedLeavesAtOnceWhenItsFaultIsOver) {
  Wire wire;
  wire.begin();
  wire.host.rule = slow_requests({.bytes = 1, .gap = 1h});
  wire.client(slow_request(1) + Wire::data(1, "slow") + Wire::data(1, "ly", true));
  wire.to_server();
  wire.clear("another");
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("slow");
  EXPECT_EQ(wire.to_server(), Wire::data(1, "low") + Wire::data(1, "ly", true));
  EXPECT_EQ(wire.session.next_due(), std::nullopt);
}

TEST(PaceTest, OfSeveralEachIsKept) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    faults::Ruling ruled;
    if (reached.stage != Stage::headers) return ruled;
    ruled = pacing({.bytes = 4, .gap = 100ms}, "a");
    ruled.effects.push_back(pacing({.bytes = 10, .gap = 300ms}, "b").effects[0]);
    return ruled;
  };
  const Instant start = wire.now;
  wire.client(Wire::request(1) + Wire::data(1, "0123456789abcd"));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "0123"));
  EXPECT_EQ(leaving_at(wire, start + 99ms), "");
  EXPECT_EQ(leaving_at(wire, start + 100ms), Wire::data(1, "4567"));
  EXPECT_EQ(leaving_at(wire, start + 200ms), Wire::data(1, "89"));
  wire.clear("b");
  EXPECT_EQ(wire.to_server(), Wire::data(1, "ab"));
  EXPECT_EQ(leaving_at(wire, start + 299ms), "");
  EXPECT_EQ(leaving_at(wire, start + 300ms), Wire::data(1, "cd"));
}

TEST(PaceTest, ALateTimerIsMadeUpForButAPauseIsNotSavedUp) {
  Wire wire;
  wire.begin();
  wire.host.rule = slow_requests({.bytes = 1, .gap = 10ms, .keeps_rate = true});
  const Instant start = wire.now;
  wire.client(slow_request(1) + Wire::data(1, "0123456789"));
  wire.to_server();
  EXPECT_EQ(leaving_at(wire, start + 30ms), Wire::data(1, "1") + Wire::data(1, "2") + Wire::data(1, "3"));
  leaving_at(wire, start + 60ms);
  EXPECT_EQ(leaving_at(wire, start + 90ms), Wire::data(1, "7") + Wire::data(1, "8") + Wire::data(1, "9"));
  wire.now = start + 10s;
  wire.client(Wire::data(1, "abc"));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "a"));
}

TEST(PaceTest, ACancelledCallLeavesNothingDue) {
  Wire wire;
  wire.begin();
  wire.host.rule = slow_requests({.bytes = 1, .gap = 1h});
  wire.client(slow_request(1) + Wire::data(1, "slow"));
  EXPECT_TRUE(wire.session.next_due());
  wire.client(Wire::reset(1, Http2Error::cancel));
  EXPECT_FALSE(wire.session.next_due());
}

// A sender cannot make the relay keep more than its stream's window; other calls still have the connection's.
TEST(PaceTest, TheSenderStopsAtItsWindowAndOthersDoNot) {
  World world;
  world.echo();
  world.host.rule = slow_requests({.bytes = 1, .gap = 1h});
  const int32_t slow =
      world.client.request(request_fields("s/Slow"), grpc_message(std::string(5'000'000, 's')));
  world.run();
  EXPECT_EQ(nghttp2_session_get_stream_remote_window_size(world.client.native(), slow), 0);
  EXPECT_EQ(world.server.streams[slow].body.size(), 1u);
  for (int i = 0; i < 5; ++i) {
    const std::string body = grpc_message(std::string(200'000, 'f'));
    const int32_t quick = world.client.request(request_fields("s/Quick"), body);
    world.run();
    EXPECT_TRUE(world.client.streams[quick].body == body);
  }
  world.session.fault_cleared({"slow"}, world.now);
  world.deliver();
  world.run();
  EXPECT_EQ(world.client.streams[slow].body.size(), 5'000'005u);
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.session.live_calls(), 0u);
}

}  // namespace
}  // namespace breakwire::http2::testing
