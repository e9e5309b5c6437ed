// What faults do to the frames of calls, with nghttp2 on both sides as the witness.
#include <algorithm>

#include "faults/kinds/names.h"
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::FaultTally;
using faults::Stage;

class CallFaultsTest : public Http2RelayTest {
 protected:
  const http2::testing::Received& at_client(int32_t id) { return client.http2.streams[id]; }
  const http2::testing::Received& at_server(int32_t id) { return server.http2.streams[id]; }
  bool ends(int32_t id) {
    return run_until([&] { return at_client(id).closed.has_value(); });
  }
  /// The server answers every request with its own body and OK.
  void echo() {
    server.http2.on_request = [this](int32_t id) {
      server.http2.respond(id, response_fields, server.http2.streams[id].body, ok_trailers);
    };
  }
  int32_t call(const std::string& body, const std::string& method = "s/M", faults::Metadata more = {}) {
    faults::Metadata fields = request_fields(method);
    fields.insert(fields.end(), more.begin(), more.end());
    return client.http2.request(fields, body);
  }
  /// A call that no fault is to concern any more passes whole.
  void expect_that_calls_pass() {
    echo();
    const int32_t id = call(grpc_message("again"));
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(at_client(id).fields, response_fields);
    EXPECT_EQ(at_client(id).body, grpc_message("again"));
    EXPECT_EQ(at_client(id).trailers, ok_trailers);
    EXPECT_FALSE(client.end || server.end);
    expect_no_complaints();
  }
};

TEST_F(CallFaultsTest, HttpStatusAnswersWithItsPageAndTheServerSeesNothing) {
  auto fault =
      arm_kind("http_status", R"({"status": 503, "headers": {"retry-after": "1"}, "body": "<h1>busy</h1>"})",
               {.method = "s/Busy", .stage = Stage::headers});
  const int32_t id = call(grpc_message("ask"), "s/Busy");
  ASSERT_TRUE(ends(id));
  EXPECT_EQ(at_client(id).fields,
            (faults::Metadata{{":status", "503"}, {"content-type", "text/html"}, {"retry-after", "1"}}));
  EXPECT_EQ(at_client(id).body, "<h1>busy</h1>");
  EXPECT_TRUE(at_client(id).trailers.empty());
  EXPECT_EQ(at_client(id).closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 1, .hits = 1}));
  expect_that_calls_pass();  // of another method
  EXPECT_FALSE(server_has(id) && at_server(id).fields[2].value == "/s/Busy");
  fault.reset();
  play(open_call("s/Busy"), [] { return false; });
  expect_no_complaints();
}

TEST_F(CallFaultsTest, HttpStatusTakesThePlaceOfTheResponseAndCancelsTheRestOfIt) {
  auto fault = arm_kind("http_status", "{}", {.stage = Stage::response_headers});
  server.http2.on_request = [this](int32_t id) {  // more than its windows let go
    server.http2.respond(id, response_fields, grpc_message(std::string(1'000'000, 'r')), ok_trailers);
  };
  const int32_t id = call(grpc_message("ask"));
  ASSERT_TRUE(ends(id));
  EXPECT_EQ(at_client(id).fields, (faults::Metadata{{":status", "502"}, {"content-type", "text/html"}}));
  EXPECT_EQ(at_client(id).body, "<html><body><h1>502</h1></body></html>\n");
  EXPECT_EQ(at_server(id).body, grpc_message("ask"));
  ASSERT_TRUE(run_until([&] { return at_server(id).closed.has_value(); }));
  EXPECT_EQ(at_server(id).closed, NGHTTP2_CANCEL);
  EXPECT_EQ(recorder.wait_for<faults::CallEnded>().front().status, StatusCode::unavailable);
  fault.reset();
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, MissingTrailersEndsTheResponseOnDataAndTheNextOnesDecode) {
  echo();
  const auto fault = arm_kind("missing_trailers", "{}", {.calls = {.nth = 2}});
  int32_t ids[3];
  for (int32_t& id : ids) id = call(grpc_message("ask"));
  for (const int32_t id : ids) {
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(at_client(id).body, grpc_message("ask"));
    EXPECT_EQ(at_client(id).closed, NGHTTP2_NO_ERROR);
    EXPECT_EQ(at_client(id).trailers, id == ids[1] ? faults::Metadata{} : ok_trailers);
  }
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 3, .hits = 1}));
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, MissingTrailersOnHeadersLeavesTheOtherTrailers) {
  auto fault = arm_kind("missing_trailers", R"({"end_stream_on": "headers"})", {});
  server.http2.on_request = [this](int32_t id) {
    server.http2.respond(id, response_fields, "",
                         {{"grpc-status", "0"}, {"x-cost", "3"}, {"grpc-message", "ok"}});
  };
  const int32_t id = call(grpc_message("ask"));
  ASSERT_TRUE(ends(id));
  EXPECT_EQ(at_client(id).trailers, (faults::Metadata{{"x-cost", "3"}}));
  EXPECT_EQ(at_client(id).closed, NGHTTP2_NO_ERROR);
  fault.reset();
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, MissingTrailersOfTrailersOnlyLeavesHeadersAndAnEnd) {
  auto fault = arm_kind("missing_trailers", "{}", {});
  server.http2.on_request = [this](int32_t id) {
    faults::Metadata only = response_fields;
    only.push_back({"grpc-status", "5"});
    server.http2.trailers_only(id, only);
  };
  const int32_t id = call(grpc_message("ask"));
  ASSERT_TRUE(ends(id));
  EXPECT_EQ(at_client(id).fields, response_fields);
  EXPECT_TRUE(at_client(id).end);
  EXPECT_TRUE(at_client(id).trailers.empty());
  fault.reset();
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, TruncateMessageCutsTheRequestThereAndEndsIt) {
  echo();
  const std::string first = grpc_message("first");
  const std::string big = grpc_message(std::string(300'000, 'b'));
  auto fault =
      arm_kind("truncate_message", R"({"bytes": "100kB"})", {.message = 1, .stage = Stage::request_message});
  const int32_t id = call(first + big + grpc_message("third"));
  ASSERT_TRUE(ends(id));
  EXPECT_TRUE(at_server(id).body == first + big.substr(0, 100'000));
  EXPECT_TRUE(at_server(id).end);
  EXPECT_EQ(at_client(id).trailers, ok_trailers);
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 1, .hits = 1}));
  fault.reset();
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, TruncateMessageCutsTheResponseThereAndItsTrailersCome) {
  echo();
  const std::string first = grpc_message("first");
  const std::string big = grpc_message(std::string(300'000, 'b'));
  auto fault =
      arm_kind("truncate_message", R"({"bytes": "100kB"})", {.message = 1, .stage = Stage::response_message});
  const int32_t id = call(first + big + grpc_message("third"));
  ASSERT_TRUE(ends(id));
  EXPECT_TRUE(at_server(id).body == first + big + grpc_message("third"));
  EXPECT_TRUE(at_client(id).body == first + big.substr(0, 100'000));
  EXPECT_EQ(at_client(id).trailers, ok_trailers);
  EXPECT_EQ(at_client(id).closed, NGHTTP2_NO_ERROR);
  const auto ended = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(ended.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended.fault, FaultId{"truncate_message"});
  fault.reset();
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, TruncateMessageLeaksNoWindow) {
  echo();
  for (const Stage stage : {Stage::request_message, Stage::response_message}) {
    const auto fault = arm_kind("truncate_message", "{}", {.stage = stage});
    for (int number = 0; number < 20; ++number) {  // several windows
      ASSERT_TRUE(ends(call(grpc_message(std::string(50'000, 'x')))));
    }
  }
  const std::string big = grpc_message(std::string(500'000, 'y'));
  const int32_t id = call(big);
  ASSERT_TRUE(ends(id));
  EXPECT_TRUE(at_client(id).body == big);
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, MetadataChangesTheRequestsFieldsAndNothingElse) {
  echo();
  const faults::Metadata sent{{"x-user", "me"},       {"authorization", "secret", true},
                              {"x-twice", "a"},       {"traceparent", "none"},
                              {"x-data-bin", "AAEC"}, {"x-twice", "b"}};
  faults::Metadata got = request_fields("s/M");
  got.insert(got.end(), {{"x-user", "you"},
                         {"authorization", "secret", true},
                         {"x-twice", "a"},
                         {"x-data-bin", "/w=="},
                         {"x-twice", "b"},
                         {"x-tenant", "other"}});
  auto fault = arm_kind("metadata",
                        R"({"remove": ["traceparent"], "set": {"x-tenant": "other", "x-data-bin": "/w=="},
                            "rewrite": {"x-user": "you", "x-absent": "1"}})",
                        {.metadata = {{"x-user", "me"}}, .stage = Stage::headers});
  int32_t ids[4];
  for (int32_t& id : ids) {
    id = call(grpc_message("ask"), "s/M", sent);
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(at_server(id).fields, got);
    EXPECT_EQ(at_server(id).body, grpc_message("ask"));
    EXPECT_EQ(at_client(id).fields, response_fields);
    EXPECT_EQ(at_client(id).trailers, ok_trailers);
  }
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 4, .hits = 4}));
  fault.reset();
  const int32_t id = call(grpc_message("ask"), "s/M", sent);
  ASSERT_TRUE(ends(id));
  faults::Metadata unchanged = request_fields("s/M");
  unchanged.insert(unchanged.end(), sent.begin(), sent.end());
  EXPECT_EQ(at_server(id).fields, unchanged);
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, MetadataChangesTheResponseAtEitherEnd) {
  echo();
  for (const Stage stage : {Stage::response_headers, Stage::response_end}) {
    const auto fault =
        arm(Codec<Stage>::show(stage), of_kind("metadata", R"({"set": {"x-zone": "b"}})"), {.stage = stage});
    faults::Metadata head = response_fields;
    faults::Metadata tail = ok_trailers;
    (stage == Stage::response_end ? tail : head).push_back({"x-zone", "b"});
    for (int number = 0; number < 3; ++number) {
      const int32_t id = call(grpc_message("ask"));
      ASSERT_TRUE(ends(id));
      EXPECT_EQ(at_client(id).fields, head);
      EXPECT_EQ(at_client(id).body, grpc_message("ask"));
      EXPECT_EQ(at_client(id).trailers, tail);
    }
    EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 3, .hits = 3}));
  }
  expect_that_calls_pass();
}

TEST_F(CallFaultsTest, MetadataThatIsNotThereIsNoHit) {
  echo();
  const auto fault = arm_kind("metadata", R"({"remove": ["x-usr"]})", {.stage = Stage::headers});
  ASSERT_TRUE(ends(call(grpc_message("ask"), "s/M", {{"x-user", "me"}})));
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 1, .hits = 0}));
  EXPECT_TRUE(recorder.all<faults::FaultHit>().empty());
  expect_no_complaints();
}

class StreamBandwidthTest : public CallFaultsTest, public ::testing::WithParamInterface<Stage> {};
INSTANTIATE_TEST_SUITE_P(All, StreamBandwidthTest, ::testing::Values(Stage::headers, Stage::response_headers),
                         [](const auto& tested) { return Codec<Stage>::show(tested.param); });

TEST_P(StreamBandwidthTest, TheCallIsNoFasterThanItsRateAndWhole) {
  echo();
  const auto fault = arm_kind("stream_bandwidth", R"({"rate": "500kB/s"})", {.stage = GetParam()});
  const auto begin = Clock::now();
  const std::string message = grpc_message(std::string(100'000, 's'));
  const int32_t id = call(message);
  ASSERT_TRUE(ends(id));
  EXPECT_GE(Clock::now() - begin, 150ms);  // 200 ms, less the first piece
  EXPECT_TRUE(at_client(id).body == message);
  EXPECT_EQ(at_client(id).trailers, ok_trailers);
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 1, .hits = 1}));
  expect_no_complaints();
}

TEST_P(StreamBandwidthTest, OneCallIsSlowAndTheOthersAreNot) {
  echo();
  const auto fault =
      arm_kind("stream_bandwidth", R"({"rate": "1kB/s"})", {.method = "s/Slow", .stage = GetParam()});
  const int32_t slow = call(grpc_message(std::string(300'000, 's')), "s/Slow");  // five minutes
  const std::string message = grpc_message(std::string(300'000, 'q'));
  const int32_t quick = call(message, "s/Quick");
  ASSERT_TRUE(ends(quick));
  EXPECT_TRUE(at_client(quick).body == message);
  EXPECT_FALSE(at_client(slow).closed);
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 1, .hits = 1}));
  expect_no_complaints();
}

TEST_P(StreamBandwidthTest, TheSenderStopsAtItsWindowAndGoesOnWhenItIsOver) {
  echo();
  auto fault = arm_kind("stream_bandwidth", R"({"rate": "1kB/s"})", {.stage = GetParam()});
  const std::string message = grpc_message(std::string(2'000'000, 's'));  // half an hour
  const int32_t id = call(message);
  Http2Peer& sender = GetParam() == Stage::headers ? client : server;
  const auto stuck = [&] {
    return server_has(id) && nghttp2_session_get_stream_remote_window_size(sender.http2.native(), id) == 0;
  };
  ASSERT_TRUE(run_until(stuck));
  ASSERT_TRUE(settle());
  const auto& received = GetParam() == Stage::headers ? at_server(id) : at_client(id);
  EXPECT_LT(received.body.size(), 50'000u);
  fault.reset();
  ASSERT_TRUE(ends(id));
  EXPECT_TRUE(at_client(id).body == message);
  EXPECT_EQ(at_client(id).trailers, ok_trailers);
  expect_no_complaints();
}

TEST_P(StreamBandwidthTest, ACancelledCallAndALostConnectionLeaveNothingBehind) {
  echo();
  const auto fault = arm_kind("stream_bandwidth", R"({"rate": "1kB/s"})", {.stage = GetParam()});
  const int32_t id = call(grpc_message(std::string(50'000, 's')));
  ASSERT_TRUE(run_until_hit());
  client.http2.reset(id, NGHTTP2_CANCEL);
  ASSERT_TRUE(run_until([&] { return server_has(id) && at_server(id).closed.has_value(); }));
  call(grpc_message(std::string(50'000, 's')));
  ASSERT_TRUE(run_until_hit(2));
  client.socket.reset();
  EXPECT_TRUE(wait_for_end().reset);
  EXPECT_EQ(recorder.wait_for<faults::CallEnded>(2).size(), 2u);
}

// ---- Several faults on one call

TEST_F(CallFaultsTest, EditsOfSeveralFaultsGoTogetherAndTheFirstAnswerWins) {
  echo();
  const auto first =
      arm("first", of_kind("metadata", R"({"set": {"x-first": "1"}})"), {.stage = Stage::headers});
  const auto second =
      arm("second", of_kind("metadata", R"({"set": {"x-second": "2"}})"), {.stage = Stage::headers});
  const auto page = arm("page", of_kind("http_status"), {.stage = Stage::response_headers});
  const auto status =
      arm("status", of_kind("rst_stream", R"({"code": "CANCEL"})"), {.stage = Stage::response_headers});
  const int32_t id = call(grpc_message("ask"));
  ASSERT_TRUE(ends(id));
  faults::Metadata got = request_fields("s/M");
  got.insert(got.end(), {{"x-first", "1"}, {"x-second", "2"}});
  EXPECT_EQ(at_server(id).fields, got);
  EXPECT_EQ(at_client(id).fields[0].value, "502");
  EXPECT_EQ(at_client(id).closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(status->tally(), (FaultTally{.eligible = 1, .hits = 0}));
  expect_no_complaints();
}

}  // namespace
}  // namespace breakwire::relay::testing
