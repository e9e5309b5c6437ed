// Calls that faults hold, and responses that they withhold.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::FrameKind;
using faults::Stage;

std::string answer(StreamId id, int status, bool trailers_only = true) {
  faults::Metadata fields = trailers_only ? response_fields() : faults::Metadata{};
  fields.push_back({"grpc-status", std::to_string(status)});
  return Wire::headers(id, fields, true);
}

TEST(HoldTest, AHeldResponseIsToldAtOnceAndAgainWhenItLeaves) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_headers, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.to_server();
  const std::string response = Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")) +
                               Wire::headers(1, {{"grpc-status", "5"}}, true);
  const Instant received = wire.now;
  wire.server(response);
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_TRUE(wire.session.holds_output(Side::downstream));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].status, StatusCode::not_found);
  EXPECT_EQ(ended[0].times.forwarded, std::nullopt);
  EXPECT_EQ(wire.seen<faults::ResponseStarted>()[0].times.forwarded, std::nullopt);
  wire.now += 3s;
  wire.clear("hang");
  EXPECT_EQ(wire.to_client(), response);
  const auto forwarded = wire.seen<faults::Forwarded>();
  ASSERT_EQ(forwarded.size(), 2u);
  EXPECT_EQ(forwarded[0].frame, FrameKind::response_started);
  EXPECT_EQ(forwarded[1].frame, FrameKind::call_ended);
  EXPECT_EQ(forwarded[1].at, wire.now);
  const auto messages = wire.seen<faults::MessageSeen>();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].times, (faults::FrameTimes{received, wire.now}));
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 1u);
}

TEST(HoldTest, ACallerThatGivesUpAHeldAnswerIsTold) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_end, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.server(Wire::headers(1, response_fields()) + answer(1, 0, false));
  EXPECT_TRUE(wire.seen<faults::CallGivenUp>().empty());
  wire.now += 3s;
  wire.client(Wire::reset(1, Http2Error::cancel));
  const auto given_up = wire.seen<faults::CallGivenUp>();
  ASSERT_EQ(given_up.size(), 1u);
  EXPECT_EQ(given_up[0].stream, 1u);
  EXPECT_EQ(given_up[0].at, wire.now);
  EXPECT_EQ(given_up[0].code, Http2Error::cancel);
  ASSERT_EQ(wire.seen<faults::CallEnded>().size(), 1u) << "as it was told before";
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].how, Ending::trailers);
}

TEST(HoldTest, ACallerThatResetsAnAnswerOnItsWayIsTold) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.server(Wire::headers(1, response_fields()) + answer(1, 0, false));
  // Behind the session it may still be late.
  wire.client(Wire::reset(1, Http2Error::cancel));
  EXPECT_EQ(wire.seen<faults::CallGivenUp>().size(), 1u);
  EXPECT_EQ(wire.to_server(), "") << "the upstream is done with it";
}

TEST(HoldTest, TheUpstreamsResetWaitsBehindAHeldResponse) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_end, faults::Hold{}, "hang");
  wire.client(Wire::request(1));
  wire.to_server();
  wire.server(answer(1, 4) + Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.to_client(), "");
  // Nobody upstream wants the rest of the request any more.
  wire.client(Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5) + Wire::window_update(1, 5));
  EXPECT_EQ(wire.to_server(), "");
  wire.clear("hang");
  EXPECT_EQ(wire.to_client(), answer(1, 4) + Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.seen<faults::Forwarded>().size(), 1u);
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(HoldTest, AtTheRequestsEndOnlyEndStreamWaits) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::request_end, faults::Hold{}, "hang");
  wire.client(Wire::request(1, true) + Wire::request(3) + Wire::data(3, grpc_message("x"), true));
  EXPECT_EQ(wire.to_server(), Wire::request(1) + Wire::request(3) + Wire::data(3, grpc_message("x")));
  wire.clear("hang");
  EXPECT_EQ(wire.to_server(), Wire::data(1, "", true) + Wire::data(3, "", true));
}

TEST(WithholdTest, ClearedBeforeTheResponseItChangesNothing) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::WithholdResponse{}, "lose");
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.clear("lose");
  wire.server(answer(1, 0));
  EXPECT_EQ(wire.to_client(), answer(1, 0));
}

TEST(WithholdTest, ClearedAfterPartOfTheResponseTheCallerGetsUnavailable) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, faults::WithholdResponse{}, "lose");
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")));
  wire.clear("lose");
  wire.server(Wire::headers(1, {{"grpc-status", "0"}}, true));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::unavailable);
  EXPECT_EQ(ended[0].fault.text, "lose");
  // What the service did is still on record.
  ASSERT_EQ(wire.seen<faults::MessageSeen>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::MessageSeen>()[0].times.forwarded, std::nullopt);
}

TEST(WithholdTest, TheFaultAlsoDecidesWhenTheUpstreamResets) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage == Stage::headers) return ruling(faults::WithholdResponse{}, "lose");
    if (reached.stage == Stage::response_end) return ruling(faults::ResetConnection{}, "lose");
    return faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.server(Wire::reset(1, Http2Error::internal_error));
  ASSERT_TRUE(wire.session.demand());
  EXPECT_TRUE(wire.session.demand()->reset);
  EXPECT_EQ(wire.session.demand()->fault.text, "lose");
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].how, Ending::ended_by_fault);
}

}  // namespace
}  // namespace breakwire::http2::testing
