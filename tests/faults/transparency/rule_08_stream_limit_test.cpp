// RELAY.md, rule 8: the caller learns of a call's end only when the upstream has no use for the stream any
// more, for the caller's next call takes its place.
#include <gtest/gtest.h>

#include "tests/faults/transparency/rules.h"

namespace breakwire::http2::testing {
namespace {

using faults::Stage;

struct EndingCase {
  std::string name;
  Stage stage;
  faults::WireAction action;
  friend void PrintTo(const EndingCase& one, std::ostream* out) { *out << one.name; }
};
class RelayRule08StreamLimitAtAnEnd : public ::testing::TestWithParam<EndingCase> {};

TEST_P(RelayRule08StreamLimitAtAnEnd, TheUpstreamsStreamIsResetBeforeTheCallersEnds) {
  Wire wire;
  wire.begin();
  wire.server(setting(3, 1));
  wire.client(settings_ack);
  wire.to_client();
  wire.host.rule = [](const faults::CallReached& reached) {
    const bool concerned = reached.call->stream == 1 && reached.stage == GetParam().stage;
    return concerned ? ruling(GetParam().action) : faults::Ruling{};
  };
  wire.client(Wire::request(1) + Wire::data(1, grpc_message("a"), true));
  if (GetParam().stage > Stage::request_end) {
    wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("b")));
  }
  ASSERT_NE(wire.to_client(), "");
  wire.client(Wire::request(3, true));  // the caller's one slot is free again
  const std::string frames = wire.to_server();
  const size_t reset = frames.find(Wire::reset(1, Http2Error::cancel));
  ASSERT_NE(reset, std::string::npos);
  EXPECT_LT(reset, frames.find(Wire::request(3, true).substr(0, frame_header_size + 10)));
  EXPECT_EQ(opened_in(frames), (std::vector<StreamId>{1, 3}));
}

const faults::EndCall ended{StatusCode::unavailable, "ended", {}};
INSTANTIATE_TEST_SUITE_P(
    All, RelayRule08StreamLimitAtAnEnd,
    ::testing::Values(EndingCase{"status_at_a_message", Stage::request_message, ended},
                      EndingCase{"status_at_the_response", Stage::response_headers, ended},
                      EndingCase{"reset_at_the_response", Stage::response_headers, faults::ResetStream{}},
                      EndingCase{"page_at_the_response", Stage::response_headers,
                                 faults::AnswerHttp{502, {}, "page"}},
                      EndingCase{"reset_at_a_message", Stage::response_message, faults::ResetStream{}}),
    [](const auto& tested) { return tested.param.name; });

TEST(RelayRule08StreamLimit, AResponseThatIsWithheldEndsForTheCallerWhenItHasForTheUpstream) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage == Stage::headers) return ruling(faults::WithholdResponse{}, "lose");
    return reached.stage == Stage::response_end ? ruling(ended, "lose") : faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("b")));
  EXPECT_EQ(wire.to_client(), "") << "the upstream is not through with it";
  wire.server(Wire::headers(1, ok_trailers(), true));
  EXPECT_NE(wire.to_client(), "");
}

TEST(RelayRule08StreamLimit, ARequestThatNobodyNeedsIsCancelledWhenTheCallersSlotIsFree) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::request_end, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.server(Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_server(), Wire::reset(1, Http2Error::cancel));
}

TEST(RelayRule08StreamLimit, ALowerLimitIsObeyedAtOnceAndAHigherOneWhenTheServerKnowsThatItWasRead) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true) + Wire::request(3, true) + Wire::request(5, true));
  wire.server(setting(3, 1));
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));
  wire.client(settings_ack);
  wire.server(setting(3, 3) + setting(3, 2));
  EXPECT_EQ(wire.to_server(), settings_ack)
      << "a server may hold on to 1 until 3 is acknowledged (RFC 9113 §6.5.3)";
  wire.client(settings_ack);
  EXPECT_EQ(wire.to_server(), settings_ack + Wire::request(3, true));
  wire.client(settings_ack);
  EXPECT_EQ(wire.to_server(), settings_ack);
  wire.server(Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_server(), Wire::request(5, true));
}

TEST(RelayRule08StreamLimit, ALimitOfNoneKeepsAReleasedCallUntilThereIsAnother) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.server(setting(3, 0));
  wire.client(settings_ack);
  wire.to_server();
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.session.live_calls(), 1u);
  wire.server(setting(3, 100));
  wire.client(settings_ack);
  EXPECT_EQ(wire.to_server(), settings_ack + Wire::request(1, true));
}

TEST(RelayRule08StreamLimit, AtReleaseTheWindowsThenInForceAreObeyed) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1) + Wire::data(1, "0123456789"));
  wire.server(setting(4, 4));
  wire.client(settings_ack);
  wire.to_server();
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::data(1, "0123"));
  wire.server(Wire::window_update(1, 6));
  EXPECT_EQ(wire.to_server(), Wire::data(1, "456789"));
}

TEST(RelayRule08StreamLimit, AtReleaseTheStreamLimitThenInForceIsObeyed) {
  World world;
  world.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::headers ? ruling(faults::Hold{}, "hang") : faults::Ruling{};
  };
  std::vector<int32_t> arrived;
  world.server.on_request = [&](int32_t id) { arrived.push_back(id); };
  for (int i = 0; i < 3; ++i) world.client.request(request_fields("s/M"), grpc_message("x"));
  world.run();
  world.server.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}});
  world.run();
  world.session.fault_cleared({"hang"}, world.now);
  world.deliver();
  world.run();
  for (size_t done = 1; done <= 3; ++done) {
    ASSERT_EQ(arrived.size(), done);
    world.server.respond(arrived.back(), response_fields(), grpc_message("y"), ok_trailers());
    world.run();
  }
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.session.live_calls(), 0u);
}

}  // namespace
}  // namespace breakwire::http2::testing
