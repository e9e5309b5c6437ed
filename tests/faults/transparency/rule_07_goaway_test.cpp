// RELAY.md, rule 7: GOAWAY's last id is translated to the caller's numbers, and what is not going to be
// processed is refused. A GOAWAY of the relay's own: tests/faults/http2/drain_test.cpp.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;

TEST(RelayRule07Goaway, ThePromiseOfALaterOnePassesUnchangedAlsoWhereIdsDiffer) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3));
  wire.clear("hang");
  wire.server(Wire::goaway(max_stream_id, Http2Error::no_error, "graceful"));
  EXPECT_EQ(wire.to_client(), Wire::goaway(max_stream_id, Http2Error::no_error, "graceful"));
  EXPECT_EQ(wire.session.live_calls(), 2u);
  wire.client(Wire::request(5));
  EXPECT_EQ(wire.session.live_calls(), 3u) << "calls may still be made";
}

TEST(RelayRule07Goaway, CodeAndDebugDataArePreservedWhereIdsDiffer) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3));
  wire.clear("hang");  // 1 -> 5
  wire.server(Wire::goaway(5, Http2Error::enhance_your_calm, "too_many_pings"));
  EXPECT_EQ(wire.to_client(), Wire::goaway(3, Http2Error::enhance_your_calm, "too_many_pings"))
      << "both were processed, and 3 is the highest of them";
  EXPECT_EQ(wire.session.live_calls(), 2u);
}

TEST(RelayRule07Goaway, RefusesWhatIsHeldBelowTheLastIdAndIsSilentAboveIt) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream != 3 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3) + Wire::request(5));
  wire.server(Wire::goaway(3));
  EXPECT_EQ(wire.to_client(), Wire::goaway(3) + Wire::reset(1, Http2Error::refused_stream));
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST(RelayRule07Goaway, CallsUnderWayGoOn) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.server(Wire::goaway(1));
  wire.to_client();
  wire.to_server();
  wire.client(Wire::data(1, "more", true) + Wire::data(3, "lost", true));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "more", true));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 4));
  const std::string response = Wire::headers(1, ok_trailers(), true);
  wire.server(response);
  EXPECT_EQ(wire.to_client(), response);
}

TEST(RelayRule07Goaway, PassesVerbatimWhileIdsAreTheSame) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.server(Wire::goaway(max_stream_id) + Wire::goaway(3, Http2Error::enhance_your_calm, "too_many_pings"));
  EXPECT_EQ(wire.to_client(),
            Wire::goaway(max_stream_id) + Wire::goaway(3, Http2Error::enhance_your_calm, "too_many_pings"));
  const auto seen = wire.seen<faults::GoawaySeen>();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].last_stream, max_stream_id);
  EXPECT_EQ(seen[1].last_stream, 3u);
  EXPECT_EQ(seen[1].code, Http2Error::enhance_your_calm);
  EXPECT_EQ(seen[1].debug, "too_many_pings");
  EXPECT_EQ(seen[1].times.forwarded, wire.now);
  EXPECT_EQ(wire.session.live_calls(), 2u);
}

TEST(RelayRule07Goaway, TranslatesTheLastIdAndRefusesWhatIsAboveItUpstream) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 1 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::request(3) + Wire::request(5));
  wire.clear("hang");             // 1 -> 7
  wire.client(Wire::request(7));  // -> 9
  wire.to_server();
  wire.server(Wire::goaway(5));
  // 3 and 5 may have been processed; 1 was not, though its id is below; 7 is above and needs no telling.
  EXPECT_EQ(wire.to_client(), Wire::goaway(5) + Wire::reset(1, Http2Error::refused_stream));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].stream, 1u);
  EXPECT_EQ(ended[0].how, Ending::refused_by_goaway);
  EXPECT_EQ(ended[1].stream, 7u);
  EXPECT_EQ(ended[1].how, Ending::refused_by_goaway);
  // The last id never rises.
  wire.server(Wire::goaway(9) + Wire::goaway(max_stream_id));
  EXPECT_EQ(wire.to_client(), Wire::goaway(5) + Wire::goaway(5));
}

TEST(RelayRule07Goaway, LaterCallsAreDecodedDroppedAndCredited) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1));
  wire.to_server();
  wire.server(Wire::goaway(1));
  wire.to_client();
  wire.client(Wire::request(3) + Wire::data(3, "hello", true));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].stream, 3u);
  EXPECT_EQ(ended[0].how, Ending::refused_by_goaway);
  EXPECT_EQ(wire.seen<faults::CallStarted>().size(), 2u);
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

TEST(RelayRule07Goaway, AClientsGoawayPassesAsItIs) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::goaway(0, Http2Error::no_error, "bye"));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::goaway(0, Http2Error::no_error, "bye"));
  EXPECT_EQ(wire.session.live_calls(), 1u);
}

}  // namespace
}  // namespace breakwire::http2::testing
