// What faults do to PING, WINDOW_UPDATE and GOAWAY of the peers.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::ControlFrame;
using faults::Direction;
using faults::Ending;
using faults::Stage;

std::string ping(char number) { return frame(FrameType::ping, 0, 0, std::string(8, number)); }
std::string ack(char number) { return frame(FrameType::ping, flag::ack, 0, std::string(8, number)); }

class ControlFaultsTest : public ::testing::Test {
 protected:
  ControlFaultsTest() { wire.begin(); }
  /// A fault that rules like this on every frame of a kind, both ways.
  void fault(ControlFrame kind, faults::WireAction action, std::string by = "f") {
    wire.host.control_rule = [=](const faults::ControlReached& reached) {
      return reached.frame == kind ? ruling(action, by) : faults::Ruling{};
    };
  }
  void delay(ControlFrame kind, Duration by) {
    wire.host.control_rule = [=](const faults::ControlReached& reached) {
      faults::Ruling ruled;
      if (reached.frame != kind) return ruled;
      ruled.delay = by;
      ruled.delayed_by = {{"slow"}};
      ruled.delays = {by};
      return ruled;
    };
  }
  void clear(const std::string& id) {
    wire.host.control_rule = {};
    wire.clear(id);
  }
  Wire wire;
};

TEST_F(ControlFaultsTest, IsAskedAboutEachFrameThatIsToBePassedOn) {
  std::vector<faults::ControlReached> asked;
  wire.host.control_rule = [&](const faults::ControlReached& reached) {
    asked.push_back(reached);
    return faults::Ruling{};
  };
  wire.client(Wire::request(1) + ping('a') + Wire::window_update(1, 5) + Wire::goaway(0));
  wire.server(settings_frame() + frame(FrameType::settings, flag::ack, 0, "") + ack('a') +
              Wire::window_update(0, 7));
  ASSERT_EQ(asked.size(), 6u);
  const ControlFrame kinds[] = {ControlFrame::ping,     ControlFrame::window_update,
                                ControlFrame::goaway,   ControlFrame::settings,
                                ControlFrame::ping_ack, ControlFrame::window_update};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(asked[i].frame, kinds[i]) << i;
    EXPECT_EQ(asked[i].direction, i < 3 ? Direction::request : Direction::response);
    EXPECT_EQ(asked[i].stream, i == 1 ? 1u : 0u);
    EXPECT_EQ(asked[i].connection, ConnectionId{7});
  }
}

TEST_F(ControlFaultsTest, SwallowedPingsGoNowhereAndTheirAcksPass) {
  fault(ControlFrame::ping, faults::Swallow{});
  wire.client(ping('a') + ping('b'));
  EXPECT_EQ(wire.to_server(), "");
  wire.server(ack('a'));
  EXPECT_EQ(wire.to_client(), ack('a'));
  const auto seen = wire.seen<faults::PingSeen>();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_FALSE(seen[0].times.forwarded);
  EXPECT_TRUE(seen[2].times.forwarded);
  const auto hits = wire.seen<faults::FaultHit>();
  ASSERT_EQ(hits.size(), 1u) << "one for each fault and direction";
  EXPECT_EQ(hits[0].action, "swallow");
  EXPECT_EQ(hits[0].stream, 0u);
  clear("f");
  EXPECT_EQ(wire.to_server(), "");
  wire.client(ping('c'));
  EXPECT_EQ(wire.to_server(), ping('c'));
}

TEST_F(ControlFaultsTest, HeldAcksLeaveInOrderWhenTheFaultIsClearedAndOtherFramesPassThem) {
  fault(ControlFrame::ping_ack, faults::Hold{});
  wire.server(ack('a') + ack('b') + ping('c') + settings_frame() + Wire::goaway(max_stream_id));
  EXPECT_EQ(wire.to_client(), ping('c') + settings_frame() + Wire::goaway(max_stream_id));
  clear("f");
  EXPECT_EQ(wire.to_client(), ack('a') + ack('b'));
}

TEST_F(ControlFaultsTest, WhatIsNotHeldItselfStaysBehindOneOfItsKindThatIs) {
  wire.host.control_rule = [](const faults::ControlReached&) { return ruling(faults::Hold{}); };
  wire.client(ping('a'));
  wire.host.control_rule = {};
  wire.client(ping('b'));
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("f");
  EXPECT_EQ(wire.to_server(), ping('a') + ping('b'));
}

TEST_F(ControlFaultsTest, DelayedFramesLeaveWhenTheyAreDueOrWhenTheFaultIsCleared) {
  delay(ControlFrame::ping, 20ms);
  wire.client(ping('a'));
  wire.now += 10ms;
  wire.client(ping('b'));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.session.next_due(), wire.now + 10ms);
  wire.now += 10ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_server(), ping('a'));
  clear("slow");
  EXPECT_EQ(wire.to_server(), ping('b'));
  EXPECT_FALSE(wire.session.next_due());
}

TEST_F(ControlFaultsTest, ADelayedIncrementComesLater) {
  delay(ControlFrame::window_update, 20ms);
  wire.client(Wire::window_update(0, 100));
  EXPECT_EQ(wire.to_server(), "");
  wire.now += 20ms;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 100));
}

TEST_F(ControlFaultsTest, FrozenIncrementsAreGivenAsOneWhenTheFaultIsCleared) {
  wire.client(Wire::request(1) + Wire::request(3));
  wire.to_server();
  fault(ControlFrame::window_update, faults::Hold{});
  wire.server(Wire::window_update(0, 10) + Wire::window_update(1, 20) + Wire::window_update(0, 30) +
              Wire::window_update(1, 40) + Wire::window_update(3, 50));
  EXPECT_EQ(wire.to_client(), "");
  wire.server(Wire::headers(3, ok_trailers(), true) + Wire::reset(3, Http2Error::no_error));
  wire.to_client();
  clear("f");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 40) + Wire::window_update(1, 60));
  wire.server(Wire::window_update(1, 1));
  EXPECT_EQ(wire.to_client(), Wire::window_update(1, 1));
}

TEST_F(ControlFaultsTest, FreezingHoldsUpNoDataThatTheReceiverHasRoomFor) {
  wire.client(Wire::request(1));
  wire.client(Wire::data(1, std::string(16'000, 'x')) + Wire::data(1, std::string(16'000, 'x')));
  fault(ControlFrame::window_update, faults::Hold{});
  wire.server(Wire::window_update(0, 32'000) + Wire::window_update(1, 32'000));
  wire.to_server();
  const std::string rest = Wire::data(1, std::string(16'000, 'y')) + Wire::data(1, std::string(16'000, 'z'));
  wire.client(rest);
  EXPECT_EQ(wire.to_server(), rest);
  EXPECT_EQ(wire.to_client(), "");
  // The client's window is used up but for what it had at first.
  wire.client(Wire::data(1, std::string(1'535, 'e')));
  EXPECT_EQ(wire.to_server().size(), 1'535u + 9);
  EXPECT_FALSE(wire.session.demand());
  wire.client(Wire::data(1, "e"));
  EXPECT_TRUE(wire.session.demand()) << "the client has no credit for that";
}

TEST_F(ControlFaultsTest, WhatTheRelayOwesIsPaidWhileWindowsAreFrozen) {
  fault(ControlFrame::window_update, faults::Hold{});
  wire.client(Wire::request(1) + Wire::data(1, "hello"));
  wire.server(Wire::window_update(0, 5) + Wire::reset(1, Http2Error::cancel));
  wire.to_client();
  wire.client(Wire::data(1, "swallowed"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 9));
  clear("f");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
}

TEST_F(ControlFaultsTest, AnAdvanceForHeldDataIsGivenAndRepaidWhileWindowsAreFrozen) {
  wire.fault(Stage::request_message, faults::Hold{}, "hang");
  fault(ControlFrame::window_update, faults::Hold{});
  const std::string message = grpc_message("held");
  wire.client(Wire::request(1) + Wire::data(1, message));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 9));
  wire.host.rule = {};
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, message));
  // Nine of these repay the advance: there is nothing in them that a fault could keep from the client.
  wire.server(Wire::window_update(0, 10));
  EXPECT_EQ(wire.to_client(), "");
  wire.client(Wire::request(3) + Wire::reset(3, Http2Error::cancel) + Wire::data(3, "late"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 4));
  clear("f");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 1));
}

TEST_F(ControlFaultsTest, ASwallowedIncrementIsLostForGood) {
  fault(ControlFrame::window_update, faults::Swallow{});
  wire.server(Wire::window_update(0, 10));
  clear("f");
  wire.server(Wire::window_update(0, 5));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
}

TEST_F(ControlFaultsTest, AnIncrementFrozenForAHeldCallFollowsItsHeaders) {
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  fault(ControlFrame::window_update, faults::Hold{});
  wire.client(Wire::request(1) + Wire::window_update(1, 100));
  clear("f");
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::window_update(1, 100));
}

TEST_F(ControlFaultsTest, AHeldGoawayRefusesWhenItLeaves) {
  fault(ControlFrame::goaway, faults::Hold{});
  wire.client(Wire::request(1));
  wire.server(Wire::goaway(1));
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_TRUE(wire.session.holds_output(Side::downstream));
  wire.client(Wire::request(3));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::request(3));
  clear("f");
  EXPECT_EQ(wire.to_client(), Wire::goaway(1));
  EXPECT_FALSE(wire.session.holds_output(Side::downstream));
  const auto seen = wire.seen<faults::GoawaySeen>();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].times.forwarded);
  EXPECT_EQ(wire.seen<faults::Forwarded>().size(), 1u);
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].stream, 3u);
  EXPECT_EQ(ended[0].how, Ending::refused_by_goaway);
}

TEST_F(ControlFaultsTest, TheSettingsThatOpenADirectionCannotBeHeld) {
  Wire fresh;
  fresh.host.control_rule = [](const faults::ControlReached&) { return ruling(faults::Hold{}); };
  fresh.client(std::string(client_preface) + settings_frame());
  EXPECT_EQ(fresh.to_server(), std::string(client_preface) + settings_frame());
  fresh.client(settings_frame(hex("0004 00000005")));
  EXPECT_EQ(fresh.to_server(), "");
  fresh.clear("f");
  EXPECT_EQ(fresh.to_server(), settings_frame(hex("0004 00000005")));
}

TEST_F(ControlFaultsTest, AFrameMayCostItsConnection) {
  fault(ControlFrame::goaway, faults::ResetConnection{});
  wire.server(ping('a') + Wire::goaway(0) + ping('b'));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_TRUE(wire.session.demand()->reset);
  EXPECT_EQ(wire.session.demand()->fault, FaultId{"f"});
  EXPECT_EQ(wire.to_client(), ping('a'));
}

TEST(ControlFaultsLimitTest, AFloodThatAFaultHoldsEndsTheConnectionAndIsTold) {
  Wire wire({.queued_control_frames = 100});
  wire.begin();
  wire.host.control_rule = [](const faults::ControlReached&) { return ruling(faults::Hold{}); };
  for (int i = 0; i <= 100; ++i) wire.client(Wire::window_update(0, 1));
  EXPECT_FALSE(wire.session.demand()) << "increments are kept as sums";
  for (int i = 0; i <= 100; ++i) wire.client(ping('a'));
  EXPECT_TRUE(wire.session.demand());
  const auto limits = wire.seen<faults::LimitReached>();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].limit, "queued_control_frames");
  EXPECT_EQ(limits[0].by, faults::Peer::downstream);
}

TEST_F(ControlFaultsTest, WhatIsHeldEndsWithTheConnection) {
  fault(ControlFrame::ping, faults::Hold{});
  wire.client(ping('a'));
  wire.session.peer_gone(Side::downstream, true, wire.now);
  clear("f");
  EXPECT_EQ(wire.to_server(), "");
}

}  // namespace
}  // namespace breakwire::http2::testing
