// Answers in the service's place that are not gRPC, and responses without an end.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::FrameKind;
using faults::Stage;

faults::AnswerHttp page(std::string body) {
  return {.status = 502, .fields = {{"content-type", "text/html"}}, .body = std::move(body)};
}

/// A client whose streams have room for four bytes.
Wire& with_small_windows(Wire& wire) {
  wire.client(std::string(client_preface) + settings_frame(hex("0004 00000004")));
  wire.server(settings_frame() + frame(FrameType::settings, flag::ack, 0, ""));
  wire.client(frame(FrameType::settings, flag::ack, 0, ""));
  wire.to_client();
  wire.to_server();
  return wire;
}

TEST(AnswerHttpTest, AtTheHeadersTheUpstreamNeverSeesTheCall) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, page("<html>"), "lb");
  wire.client(Wire::request(1));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, bad_gateway) + Wire::data(1, "<html>", true) +
                                  Wire::reset(1, Http2Error::no_error));
  wire.client(Wire::data(1, "hello", true));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5));
  wire.client(Wire::window_update(0, 6));  // for the page, which the upstream has not sent
  EXPECT_EQ(wire.to_server(), "");
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::unavailable);
  EXPECT_EQ(ended[0].fault.text, "lb");
  EXPECT_EQ(ended[0].times.forwarded, wire.now);
  EXPECT_EQ(wire.seen<faults::FaultHit>()[0].action, "answer_http");
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(AnswerHttpTest, ACompleteRequestNeedsNoReset) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::headers, page(""));
  wire.client(Wire::request(1, true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, bad_gateway, true));
}

TEST(AnswerHttpTest, TakesThePlaceOfTheResponseAndCancelsWhatIsLeftOfIt) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_headers, page("<html>"));
  wire.client(Wire::request(1, true));
  wire.to_server();
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, bad_gateway) + Wire::data(1, "<html>", true));
  // Of the eight bytes that were swallowed it may send two again: the page took six of the caller's room.
  EXPECT_EQ(wire.to_server(), Wire::reset(1, Http2Error::cancel) + Wire::window_update(0, 2));
  wire.server(Wire::data(1, grpc_message("two")) + Wire::headers(1, ok_trailers(), true));  // on their way
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 8));
  wire.client(Wire::window_update(0, 6));
  EXPECT_EQ(wire.to_server(), Wire::window_update(0, 6));
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::ProtocolViolation>().size(), 0u);
}

TEST(AnswerHttpTest, InPlaceOfTrailersOnlyThereIsNothingToCancel) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_headers, page("<html>"));
  wire.client(Wire::request(1, true));
  wire.to_server();
  faults::Metadata only = response_fields();
  only.push_back({"grpc-status", "0"});
  wire.server(Wire::headers(1, only, true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, bad_gateway) + Wire::data(1, "<html>", true));
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].how, Ending::ended_by_fault);
}

TEST(AnswerHttpTest, ThePageWaitsForRoomAndTheRestOfTheRequestIsSwallowed) {
  Wire wire;
  with_small_windows(wire);
  wire.fault(Stage::headers, page("0123456789"), "lb");
  wire.client(Wire::request(1));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, bad_gateway) + Wire::data(1, "0123"));
  EXPECT_EQ(wire.seen<faults::CallEnded>()[0].times.forwarded, std::nullopt);
  EXPECT_TRUE(wire.session.holds_output(Side::downstream));
  wire.client(Wire::data(1, "hello"));
  EXPECT_EQ(wire.to_client(), Wire::window_update(0, 5) + Wire::window_update(1, 5));
  wire.client(Wire::window_update(1, 3));
  EXPECT_EQ(wire.to_client(), Wire::data(1, "456"));
  wire.client(Wire::window_update(1, 100));
  EXPECT_EQ(wire.to_client(), Wire::data(1, "789", true) + Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.to_server(), "");
  const auto forwarded = wire.seen<faults::Forwarded>();
  ASSERT_EQ(forwarded.size(), 1u);
  EXPECT_EQ(forwarded[0].frame, FrameKind::call_ended);
  EXPECT_EQ(wire.host.forgotten, std::vector<StreamId>{1});
}

TEST(AnswerHttpTest, AClientThatCancelsDoesNotGetTheRest) {
  Wire wire;
  with_small_windows(wire);
  wire.fault(Stage::headers, page("0123456789"), "lb");
  wire.client(Wire::request(1));
  wire.client(Wire::reset(1, Http2Error::cancel));
  wire.to_client();
  EXPECT_EQ(wire.to_server(), "");
  EXPECT_FALSE(wire.session.holds_output(Side::downstream));
  EXPECT_EQ(wire.seen<faults::CallEnded>().size(), 1u);
  EXPECT_EQ(wire.host.forgotten, std::vector<StreamId>{1});
}

TEST(AnswerHttpTest, AGoawayDoesNotRefuseWhatHasBeenAnswered) {
  Wire wire;
  with_small_windows(wire);
  wire.fault(Stage::headers, page("0123456789"), "lb");
  wire.client(Wire::request(1));
  wire.to_client();
  wire.server(Wire::goaway(0));
  EXPECT_EQ(wire.to_client(), Wire::goaway(1));  // "processed": it was, by the relay
  wire.client(Wire::window_update(1, 100));
  EXPECT_EQ(wire.to_client(), Wire::data(1, "456789", true) + Wire::reset(1, Http2Error::no_error));
}

TEST(AnswerHttpTest, AResponseThatHasBegunIsBrokenOffInstead) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1));
  wire.server(Wire::headers(1, response_fields()));
  wire.to_client();
  wire.to_server();
  wire.fault(Stage::request_message, page("<html>"));
  wire.client(Wire::data(1, grpc_message("one")));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::internal_error) + Wire::window_update(0, 8));
  EXPECT_EQ(wire.to_server(), Wire::reset(1, Http2Error::cancel));
}

TEST(AnswerHttpTest, AResponseThatIsOverWithoutEverHavingBegunIsNotAnsweredAgain) {
  Wire wire;
  wire.begin();
  wire.client(Wire::request(1));
  wire.server(Wire::headers(1, ok_trailers(), true));  // malformed: there is no :status
  EXPECT_EQ(wire.to_client(), Wire::headers(1, ok_trailers(), true));
  wire.fault(Stage::request_end, page("<html>"));
  wire.client(Wire::data(1, "", true));
  EXPECT_EQ(wire.to_client(), Wire::reset(1, Http2Error::internal_error));
}

TEST(AnswerHttpTest, WaitsForTheUpstreamsSettings) {
  Wire wire;
  wire.fault(Stage::headers, page("<html>"));
  wire.client(std::string(client_preface) + settings_frame() + Wire::request(1, true));
  EXPECT_EQ(wire.to_client(), "");
  wire.server(settings_frame());
  EXPECT_EQ(wire.to_client(),
            settings_frame() + Wire::headers(1, bad_gateway) + Wire::data(1, "<html>", true));
}

TEST(DropTrailersTest, TheResponseEndsOnAnEmptyDataFrame) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_end, faults::DropTrailers{}, "lost");
  wire.client(Wire::request(1, true));
  wire.to_server();
  const std::string begin = Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one"));
  wire.server(begin + Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_client(), begin + Wire::data(1, "", true));
  EXPECT_EQ(wire.to_server(), "");
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::unknown);
  EXPECT_EQ(ended[0].fault.text, "lost");
  EXPECT_EQ(wire.session.live_calls(), 0u);
}

TEST(DropTrailersTest, TrailersOnlyBecomesHeadersAndAnEnd) {
  Wire wire;
  wire.begin();
  wire.fault(Stage::response_end, faults::DropTrailers{});
  wire.client(Wire::request(1));
  wire.to_server();
  faults::Metadata only = response_fields();
  only.push_back({"grpc-status", "5"});
  wire.server(Wire::headers(1, only, true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) + Wire::data(1, "", true) +
                                  Wire::reset(1, Http2Error::no_error));
  EXPECT_EQ(wire.to_server(), Wire::reset(1, Http2Error::cancel));
}

TEST(DropTrailersTest, ComesAfterAWithheldResponse) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage == Stage::headers) return ruling(faults::WithholdResponse{}, "lose");
    if (reached.stage == Stage::response_end) return ruling(faults::DropTrailers{}, "lost");
    return faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::data(1, grpc_message("one")) +
              Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_client(), Wire::headers(1, response_fields()) + Wire::data(1, "", true));
}

TEST(DropTrailersTest, LaterResponsesStillDecode) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::response_end && reached.call->stream == 3 ? ruling(faults::DropTrailers{})
                                                                             : faults::Ruling{};
  };
  for (int i = 0; i < 4; ++i) world.client.request(request_fields("s/M"), grpc_message("x"));
  world.run();
  for (const int32_t id : {1, 5, 7}) EXPECT_EQ(world.client.streams[id].trailers, ok_trailers());
  EXPECT_EQ(world.client.streams[3].fields, response_fields());
  EXPECT_EQ(world.client.streams[3].body, grpc_message("x"));
  EXPECT_TRUE(world.client.streams[3].end);
  EXPECT_TRUE(world.client.streams[3].trailers.empty());
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace breakwire::http2::testing
