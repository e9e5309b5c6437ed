// A GOAWAY of the relay's own, and what it leads to (RELAY.md rules 7 and 11).
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;
using Last = faults::SendGoaway::Last;
using Then = faults::SendGoaway::Then;

const std::string first_ping = frame(FrameType::ping, 0, 0, hex("627265616b770000"));
const std::string first_ack = frame(FrameType::ping, flag::ack, 0, hex("627265616b770000"));

class DrainTest : public ::testing::Test {
 protected:
  void drain(Then then = Then::stay, Last last = Last::none_refused) {
    act({.code = Http2Error::enhance_your_calm, .debug = "bye", .last = last, .then = then});
  }
  void act(faults::SendGoaway goaway, const std::string& by = "f") {
    wire.session.act({by}, goaway, wire.now);
  }
  static std::string announced(StreamId last = max_stream_id) {
    return Wire::goaway(last, Http2Error::no_error, "bye") + first_ping;
  }
  static std::string said(StreamId last) { return Wire::goaway(last, Http2Error::enhance_your_calm, "bye"); }
  static std::string trailers(StreamId id) { return Wire::headers(id, ok_trailers(), true); }

  Wire wire;
};

TEST_F(DrainTest, TwoStepsWaitForThePingAndItsAckIsOurs) {
  wire.begin();
  wire.client(Wire::request(1));
  wire.to_server();
  drain();
  EXPECT_EQ(wire.to_client(), announced());
  EXPECT_EQ(wire.to_server(), "") << "the service hears nothing of it";
  wire.client(Wire::request(3) + frame(FrameType::ping, flag::ack, 0, "the peer"));
  EXPECT_EQ(wire.to_server(), Wire::request(3) + frame(FrameType::ping, flag::ack, 0, "the peer"));
  EXPECT_EQ(wire.to_client(), "");
  wire.client(first_ack + Wire::request(5));
  EXPECT_EQ(wire.to_client(), said(3));
  EXPECT_EQ(wire.to_server(), "") << "the ACK is ours, and the later call above the last id";
  EXPECT_TRUE(wire.seen<faults::GoawaySeen>().empty()) << "it is not the service's";
  EXPECT_EQ(wire.seen<faults::PingSeen>().size(), 1u);
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].stream, 5u);
  EXPECT_EQ(ended[0].how, Ending::refused_by_goaway);
  EXPECT_EQ(ended[0].fault, FaultId{"f"});
  const auto hits = wire.seen<faults::FaultHit>();
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].action, "send_goaway");
  EXPECT_EQ(wire.host.carried, (std::vector<FaultId>{{"f"}}));
  EXPECT_FALSE(wire.session.next_due());
  EXPECT_FALSE(wire.session.demand());
}

TEST_F(DrainTest, LaterCallsAreDecodedDroppedAndCredited) {
  wire.begin();
  wire.client(Wire::request(1));
  wire.to_server();
  drain(Then::stay, Last::forwarded);
  EXPECT_EQ(wire.to_client(), said(1));
  wire.client(Wire::request(3) + Wire::data(3, "hello", true));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
  wire.client(Wire::data(1, "more"));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "more"));
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST_F(DrainTest, NeverCallsUnprocessedWhatWasForwardedOrAnswered) {
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != Stage::headers) return faults::Ruling{};
    if (reached.call->stream == 3 || reached.call->stream == 9) return ruling(faults::Hold{}, "hang");
    if (reached.call->stream == 7) return ruling(faults::EndCall{}, "status");
    return faults::Ruling{};
  };
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true) +
              Wire::request(7, true) + Wire::request(9) + Wire::data(9, "held"));
  wire.to_server();
  wire.to_client();
  drain(Then::stay, Last::forwarded);
  EXPECT_EQ(wire.to_client(), said(7));
  // 9 is said to be unprocessed, and is: it is over. 3 is not, and goes on.
  auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[1].stream, 9u);
  EXPECT_EQ(ended[1].how, Ending::refused_by_goaway);
  EXPECT_EQ(ended[1].fault, FaultId{"f"});
  wire.clear("hang");
  const std::string released = wire.to_server();
  ASSERT_GE(released.size(), frame_header_size);
  EXPECT_EQ(parse_frame_header(bytes_of(released).data()).stream, 7u) << "3, renumbered behind 5";
  EXPECT_EQ(wire.session.live_calls(), 3u);
}

TEST_F(DrainTest, OfTwoStepsTheLastCallMayBeHeld) {
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1));
  drain(Then::drain);
  wire.client(first_ack);
  EXPECT_EQ(wire.to_client(), announced() + said(1));
  EXPECT_FALSE(wire.session.demand());
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1));
}

TEST_F(DrainTest, TheConnectionEndsWhenTheLastCallIsOver) {
  wire.begin();
  wire.client(Wire::request(1, true) + Wire::request(3, true));
  drain(Then::drain);
  wire.server(trailers(1));
  wire.client(first_ack);
  EXPECT_FALSE(wire.session.demand());
  wire.server(trailers(3));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_FALSE(wire.session.demand()->reset);
  EXPECT_EQ(wire.session.demand()->fault, FaultId{"f"});
  EXPECT_EQ(wire.to_client(), announced() + trailers(1) + said(3) + trailers(3));
  for (const auto& ended : wire.seen<faults::CallEnded>()) EXPECT_EQ(ended.how, Ending::trailers);
}

TEST_F(DrainTest, AnIdleConnectionEndsAfterTheSecondStep) {
  wire.begin();
  drain(Then::drain);
  EXPECT_FALSE(wire.session.demand());
  wire.client(first_ack);
  EXPECT_TRUE(wire.session.demand());
  EXPECT_EQ(wire.to_client(), announced() + said(0));
}

TEST_F(DrainTest, CloseCutsTheCallsUnderWay) {
  wire.begin();
  wire.client(Wire::request(1, true));
  drain(Then::close, Last::forwarded);
  EXPECT_EQ(wire.to_client(), said(1));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_FALSE(wire.session.demand()->reset);
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].fault, FaultId{"f"});
}

TEST_F(DrainTest, WaitsForTheSettingsThatOpenTheDirection) {
  wire.client(std::string(client_preface) + settings_frame());
  drain();
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_TRUE(wire.host.carried.empty());
  wire.server(settings_frame());
  EXPECT_EQ(wire.to_client(), settings_frame() + announced());
  EXPECT_EQ(wire.host.carried.size(), 1u);
}

TEST_F(DrainTest, IsNotSaidWhenTheFaultIsClearedBeforeItCouldBe) {
  wire.client(std::string(client_preface) + settings_frame());
  drain();
  wire.clear("f");
  wire.server(settings_frame());
  EXPECT_EQ(wire.to_client(), settings_frame());
  EXPECT_TRUE(wire.host.carried.empty());
}

TEST_F(DrainTest, GoesOnWhenTheFaultIsClearedAfterItHasBegun) {
  wire.begin();
  drain(Then::drain);
  wire.clear("f");
  wire.client(first_ack);
  EXPECT_EQ(wire.to_client(), announced() + said(0));
  EXPECT_TRUE(wire.session.demand());
}

TEST_F(DrainTest, AClientThatDoesNotAnswerIsToldAllTheSameAndItsLateAckIsStillOurs) {
  wire.begin();
  drain();
  wire.to_client();
  EXPECT_EQ(wire.session.next_due(), wire.now + 5s);
  wire.now += 5s;
  wire.session.advance(wire.now);
  EXPECT_EQ(wire.to_client(), said(0));
  EXPECT_FALSE(wire.session.next_due());
  wire.client(first_ack);
  EXPECT_EQ(wire.to_server(), "");
  wire.client(first_ack);  // one too many is nobody's but the peer's
  EXPECT_EQ(wire.to_server(), first_ack);
}

TEST_F(DrainTest, TheLastIdNeverRisesWhoeverSaysIt) {
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3) + Wire::request(5));
  wire.to_server();
  wire.server(Wire::goaway(3));
  wire.to_client();
  drain();
  EXPECT_EQ(wire.to_client(), announced(3));
  wire.client(first_ack);
  EXPECT_EQ(wire.to_client(), said(3));
  wire.server(Wire::goaway(1) + Wire::goaway(max_stream_id));
  EXPECT_EQ(wire.to_client(), Wire::goaway(1) + Wire::goaway(1));
}

TEST_F(DrainTest, TheServicesGoawayBehindOursDoesNotRiseEither) {
  wire.begin();
  wire.client(Wire::request(1));
  drain(Then::stay, Last::forwarded);
  wire.to_client();
  wire.client(Wire::request(3));
  wire.server(Wire::goaway(max_stream_id) + Wire::goaway(7));
  EXPECT_EQ(wire.to_client(), Wire::goaway(1) + Wire::goaway(1));
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST_F(DrainTest, TwoFaultsDrainOneConnectionEachInItsWay) {
  wire.begin();
  wire.client(Wire::request(1, true));
  drain(Then::stay);
  act({.debug = "two", .last = Last::forwarded, .then = Then::drain}, "g");
  EXPECT_EQ(wire.to_client(), announced() + Wire::goaway(1, Http2Error::no_error, "two"));
  wire.client(first_ack);
  EXPECT_EQ(wire.to_client(), said(1));
  wire.server(trailers(1));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_EQ(wire.session.demand()->fault, FaultId{"g"});
}

TEST_F(DrainTest, AFaultOnPingsIsNotAskedAboutOurs) {
  wire.begin();
  wire.host.control_rule = [](const faults::ControlReached&) { return ruling(faults::Swallow{}, "mute"); };
  drain();
  EXPECT_EQ(wire.to_client(), announced());
  wire.client(first_ack);
  EXPECT_EQ(wire.to_client(), said(0));
}

}  // namespace
}  // namespace breakwire::http2::testing
