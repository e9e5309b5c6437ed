// RELAY.md, rule 6: upstream ids are the client's until an order diverges; whatever is of a held stream waits
// behind its HEADERS.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;

TEST(RelayRule06StreamIds, AreAssignedWhenHeadersLeaveAndEqualUntilAnOrderDiverges) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 3 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  for (StreamId id : {1u, 3u, 5u, 9u}) wire.client(Wire::request(id, true));
  wire.clear("hang");
  for (StreamId id : {11u, 21u, 23u}) wire.client(Wire::request(id, true));
  // max(down, last + 2): 3 leaves behind 9, 11 behind that, and a client that skips ids makes them equal
  // again.
  EXPECT_EQ(opened_in(wire.to_server()), (std::vector<StreamId>{1, 5, 9, 11, 13, 21, 23}));
}

TEST(RelayRule06StreamIds, AnswersFindTheirCallersByTheOtherNumber) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    const bool held = reached.call->stream == 1 && reached.stage == Stage::headers;
    return held ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3));
  wire.clear("hang");  // 1 -> 5
  wire.to_server();
  wire.server(Wire::headers(5, response_fields()) + Wire::data(5, "hello") +
              Wire::reset(5, Http2Error::no_error) + Wire::window_update(3, 9));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) + Wire::data(1, "hello") +
                                  Wire::reset(1, Http2Error::no_error) + Wire::window_update(3, 9));
}

TEST(RelayRule06StreamIds, EverythingOfAHeldStreamWaitsBehindItsHeaders) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1) + Wire::data(1, "one") + Wire::window_update(1, 100) + Wire::data(1, "two") +
              Wire::headers(1, {{"x-trailer", "t"}}, true));
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::window_update(1, 100) + Wire::data(1, "one") +
                                  Wire::data(1, "two") + Wire::headers(1, {{"x-trailer", "t"}}, true));
}

TEST(RelayRule06StreamIds, FramesForOtherIdsBelowTheLastAreDecodedCreditedAndDropped) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(5, true));
  wire.to_server();
  wire.client(Wire::request(3) + Wire::data(3, "hello") + Wire::window_update(3, 10) +
              Wire::reset(3, Http2Error::cancel));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
  wire.server(Wire::headers(3, response_fields()) + Wire::data(3, "hello") +
              Wire::reset(3, Http2Error::cancel));
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 5));
  EXPECT_FALSE(wire.session.demand());
  EXPECT_EQ(wire.seen<faults::CallStarted>().size(), 1u);
}

TEST(RelayRule06StreamIds, AHeldCallWaitsWhileOthersPassAndIsRenumberedAtRelease) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    if (reached.call->method == "s/Held" && reached.stage == Stage::headers)
      return ruling(faults::Hold{}, "hang");
    return faults::Ruling{};
  };
  world.client.request(request_fields("s/Held", {{"x-a", "1"}}), grpc_message("one"));
  world.client.request(request_fields("s/Free", {{"x-a", "1"}}), grpc_message("two"));
  world.run();
  EXPECT_EQ(world.client.streams[3].body, grpc_message("two"));
  EXPECT_EQ(world.client.streams.count(1), 0u);
  EXPECT_EQ(world.server.streams.count(1), 0u);
  EXPECT_EQ(world.session.live_calls(), 1u);
  EXPECT_TRUE(world.session.holds_output(Side::upstream));

  world.host.seen.clear();
  world.session.fault_cleared({"hang"}, world.now + 1s);
  world.deliver();
  world.run();
  EXPECT_EQ(world.client.streams[1].body, grpc_message("one"));
  EXPECT_EQ(world.server.streams[5].body, grpc_message("one"));
  world.client.request(request_fields("s/Free", {{"x-a", "1"}}), grpc_message("three"));
  world.run();
  EXPECT_EQ(world.server.streams[7].body, grpc_message("three"));
  EXPECT_EQ(world.client.streams[5].body, grpc_message("three"));
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  const auto forwarded = world.host.all<faults::Forwarded>();
  ASSERT_EQ(forwarded.size(), 1u);
  EXPECT_EQ(forwarded[0].frame, faults::FrameKind::call_started);
  EXPECT_EQ(forwarded[0].stream, 1u);
}

TEST(RelayRule06StreamIds, AnIncrementForAHeldStreamFollowsItsHeaders) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{});
  wire.client(Wire::request(1) + Wire::window_update(1, 100));
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("f");
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::window_update(1, 100));
}

TEST(RelayRule06StreamIds, ACancelOfACallThatNeverLeftIsAbsorbed) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1) + Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));  // in advance
  wire.client(Wire::reset(1, Http2Error::cancel));
  EXPECT_EQ(wire.to_client(), "");  // and not twice
  wire.clear("hang");
  wire.server(Wire::window_update(0, 1));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 1));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::reset_by_downstream);
  EXPECT_EQ(ended[0].times.forwarded, std::nullopt);
  // The next one takes the id above: 1 was never opened upstream.
  wire.host.rule = {};
  wire.client(Wire::request(3, true));
  EXPECT_EQ(parse_frame_header(bytes_of(wire.to_server()).data()).stream, 3u);
}

TEST(RelayRule06StreamIds, AResetOfAStreamThatWasNeverOpenedIsTheUpstreamsToJudge) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.client(Wire::reset(3, Http2Error::cancel));  // C-core, cancelled before its HEADERS were written
  EXPECT_EQ(wire.to_server(), Wire::reset(3, Http2Error::cancel));
  EXPECT_FALSE(wire.session.demand());
  wire.client(Wire::request(5, true));
  EXPECT_EQ(parse_frame_header(bytes_of(wire.to_server()).data()).stream, 5u);
  EXPECT_TRUE(wire.seen<faults::CallEnded>().empty()) << "there was no such call";
}

TEST(RelayRule06StreamIds, AResetOfAStreamThatWasNeverOpenedIsAbsorbedWhereIdsDiffer) {
  Wire wire;
  wire.begin();
  wire.fault(faults::Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.host.rule = {};
  wire.client(Wire::request(3, true));
  wire.clear("hang");  // 1 leaves behind 3, as 5
  wire.to_server();
  wire.client(Wire::reset(5, Http2Error::cancel));
  EXPECT_EQ(wire.to_server(), "") << "5 is another call there";
  wire.client(Wire::request(7, true));
  EXPECT_EQ(parse_frame_header(bytes_of(wire.to_server()).data()).stream, 7u);
}

}  // namespace
}  // namespace breakwire::http2::testing
