// RELAY.md, rule 11: "not processed" is said only of streams of which nothing was forwarded.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

TEST(RelayRule11Honesty, AnOwnGoawayNamesTheLastStreamOfWhichAnythingWasForwarded) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 5 ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  wire.client(Wire::request(1, true) + Wire::request(3) + Wire::request(5, true));
  wire.session.act(
      {"f"},
      faults::SendGoaway{.last = faults::SendGoaway::Last::forwarded, .then = faults::SendGoaway::Then::stay},
      wire.now);
  EXPECT_EQ(wire.to_client(), Wire::goaway(3));
  wire.to_server();
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), "") << "5 was called unprocessed, and stays so";
}

TEST(RelayRule11Honesty, OfACallThatTheUpstreamHasSeenAGoawaySaysRefusedOnlyForTheUpstream) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.server(Wire::goaway(1));
  EXPECT_EQ(wire.to_client(), Wire::goaway(1)) << "that 3 was not processed is the upstream's word";
}

TEST(RelayRule11Honesty, TheUpstreamsOwnRefusalPassesAsItIs) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1));
  wire.server(Wire::reset(1, Http2Error::refused_stream));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::refused_stream));
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].how, faults::Ending::reset_by_upstream);
}

TEST(RelayRule11Honesty, RefusedStreamIsSaidOfACallThatNeverLeft) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::ResetStream{Http2Error::refused_stream});
  wire.client(Wire::request(1, true));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::refused_stream));
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].reset, Http2Error::refused_stream);
}

TEST(RelayRule11Honesty, RefusedStreamAskedForTooLateBecomesCancel) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage == Stage::request_message)
      return ruling(faults::ResetStream{Http2Error::refused_stream});
    return faults::Ruling{};
  };
  world.client.request(request_fields("s/M"), grpc_message("one"));
  world.run();
  // REFUSED_STREAM was asked for, but its HEADERS had been forwarded: saying so would be a lie.
  EXPECT_EQ(world.client.streams[1].closed, static_cast<uint32_t>(NGHTTP2_CANCEL));
  EXPECT_EQ(world.server.streams[1].closed, static_cast<uint32_t>(NGHTTP2_CANCEL));
  EXPECT_EQ(world.server.streams[1].body, "");
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

TEST(RelayRule11Honesty, GoawayNeverCallsUnprocessedWhatTheRelayAnswered) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.call->stream == 5 ? ruling(faults::EndCall{}, "status") : faults::Ruling{};
  };
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.to_client();
  wire.server(Wire::goaway(1));
  EXPECT_EQ(wire.to_client(), Wire::goaway(5) + Wire::reset(3, Http2Error::refused_stream));
}

TEST(RelayRule11Honesty, TheGoawayCallsNothingUnprocessedThatWasForwarded) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1) + Wire::request(3));
  wire.client(Wire::data(99, "x"));
  EXPECT_EQ(wire.to_client(), Wire::goaway(3, Http2Error::protocol_error));
}

}  // namespace
}  // namespace breakwire::http2::testing
