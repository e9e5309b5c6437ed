// Faults about calls, with nghttp2 on both sides as the witness: which frames come, with which codes, when.
#include <algorithm>

#include "faults/kinds/names.h"
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::Stage;

class Http2FaultsTest : public Http2RelayTest {};

TEST_F(Http2FaultsTest, RstStreamCarriesItsCodeAndTheConnectionGoesOn) {
  for (const std::string& name : http2_error_names()) {
    const auto torn = arm_kind("rst_stream", R"({"code": ")" + name + R"("})", {.stage = Stage::headers});
    const int32_t id = open_call();
    ASSERT_TRUE(run_until([&] { return client.http2.streams[id].closed.has_value(); })) << name;
    EXPECT_EQ(client.http2.streams[id].closed, static_cast<uint32_t>(*parse_http2_error(name))) << name;
    EXPECT_FALSE(server_has(id)) << name;
  }
  const int32_t next = open_call();
  play(next, [] { return false; });
  EXPECT_EQ(client.http2.streams[next].trailers, ok_trailers);
  expect_no_complaints();
}

struct StageCase {
  Stage stage;
  size_t request;   // so much of the request's body the server gets
  bool whole;       // and its end
  bool headers;     // the client gets the response's headers
  size_t response;  // and so much of its body
};
const StageCase stages[] = {
    {Stage::headers, 0, false, false, 0},        {Stage::request_message, 0, false, false, 0},
    {Stage::request_end, 8, false, false, 0},    {Stage::response_headers, 8, true, false, 0},
    {Stage::response_message, 8, true, true, 0}, {Stage::response_end, 8, true, true, 11},
};
std::string stage_name(const ::testing::TestParamInfo<StageCase>& tested) {
  return Codec<std::optional<Stage>>::show(tested.param.stage);
}

class Http2StageTest : public Http2FaultsTest, public ::testing::WithParamInterface<StageCase> {
 protected:
  void expect_that_the_server_got_what_came_before(int32_t id) {
    EXPECT_EQ(server_has(id), GetParam().stage != Stage::headers);
    EXPECT_EQ(server.http2.streams[id].body.size(), GetParam().request);
    EXPECT_EQ(server.http2.streams[id].end, GetParam().whole);
  }
  void expect_that_the_client_got_what_came_before(int32_t id) {
    EXPECT_EQ(!client.http2.streams[id].fields.empty(), GetParam().headers);
    EXPECT_EQ(client.http2.streams[id].body.size(), GetParam().response);
    EXPECT_TRUE(client.http2.streams[id].trailers.empty());
  }
};
INSTANTIATE_TEST_SUITE_P(All, Http2StageTest, ::testing::ValuesIn(stages), stage_name);

TEST_P(Http2StageTest, RstStreamComesAtItsStage) {
  const Stage stage = GetParam().stage;
  const auto torn = arm_kind("rst_stream", R"({"code": "INTERNAL_ERROR"})", {.stage = stage});
  const int32_t id = open_call();
  play(id, [&] { return client.http2.streams[id].closed.has_value(); });
  EXPECT_EQ(client.http2.streams[id].closed, NGHTTP2_INTERNAL_ERROR);
  if (stage != Stage::headers) {
    ASSERT_TRUE(run_until([&] { return server.http2.streams[id].closed.has_value(); }));
    // From response_headers on, the server has said all it had to say and closed the stream itself.
    EXPECT_EQ(server.http2.streams[id].closed,
              stage < Stage::response_headers ? NGHTTP2_CANCEL : NGHTTP2_NO_ERROR);
  }
  expect_that_the_server_got_what_came_before(id);
  expect_that_the_client_got_what_came_before(id);
  EXPECT_FALSE(client.end || server.end);
  const auto ended = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(ended.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended.reset, Http2Error::internal_error);
  expect_no_complaints();
}

TEST_P(Http2StageTest, DropConnectionClosesAtItsStage) {
  const auto drop = arm_kind("drop_connection", R"({"by": "close"})", {.stage = GetParam().stage});
  const int32_t id = open_call();
  play(id, [&] { return client.end.has_value(); });
  ASSERT_TRUE(run_until([&] { return client.end && server.end; }));
  EXPECT_EQ(client.end, 0);
  EXPECT_EQ(server.end, 0);
  expect_that_the_server_got_what_came_before(id);
  expect_that_the_client_got_what_came_before(id);
  const auto ended = wait_for_end();
  EXPECT_FALSE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"drop_connection"});
  expect_no_complaints();
}

TEST_P(Http2StageTest, DropConnectionResetsAtItsStage) {
  const auto drop = arm_kind("drop_connection", "{}", {.stage = GetParam().stage});
  const int32_t id = open_call();
  play(id, [&] { return client.end.has_value(); });
  ASSERT_TRUE(run_until([&] { return client.end && server.end; }));
  EXPECT_EQ(client.end, ECONNRESET);
  EXPECT_EQ(server.end, ECONNRESET);
  expect_that_the_server_got_what_came_before(id);
  // Of the response, the RST may have destroyed what the client had not read.
  EXPECT_LE(client.http2.streams[id].body.size(), GetParam().response);
  EXPECT_TRUE(client.http2.streams[id].trailers.empty());
  const auto ended = wait_for_end();
  EXPECT_TRUE(ended.reset);
  EXPECT_EQ(ended.fault, FaultId{"drop_connection"});
}

TEST_P(Http2StageTest, GrpcDelayAddsItsTimeOnceAndLosesNothing) {
  const auto delay = arm_kind("grpc_delay", R"({"delay": "150ms"})", {.stage = GetParam().stage});
  const auto begin = Clock::now();
  const int32_t id = open_call();
  play(id, [] { return false; });
  EXPECT_GE(Clock::now() - begin, 150ms);
  EXPECT_EQ(server.http2.streams[id].body, grpc_message("ask"));
  EXPECT_EQ(client.http2.streams[id].body, grpc_message("answer"));
  EXPECT_EQ(client.http2.streams[id].trailers, ok_trailers);
  EXPECT_EQ(client.http2.streams[id].closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(delay->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  expect_no_complaints();
}

TEST_F(Http2FaultsTest, GrpcDelayHoldsUpNeitherOtherCallsNorPings) {
  const auto delay =
      arm_kind("grpc_delay", R"({"delay": "1h"})", {.method = "s/Slow", .stage = Stage::headers});
  const int32_t slow = open_call("s/Slow");
  client.http2.ping(1);
  const int32_t quick = open_call("s/Quick");
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 1 && !server.http2.streams.empty(); }));
  play(quick, [] { return false; });
  EXPECT_EQ(client.http2.streams[quick].trailers, ok_trailers);
  EXPECT_EQ(std::count_if(server.http2.streams.begin(), server.http2.streams.end(),
                          [](const auto& stream) { return stream.second.fields[2].value == "/s/Slow"; }),
            0);
  EXPECT_FALSE(client.http2.streams[slow].closed);
  expect_no_complaints();
}

TEST_F(Http2FaultsTest, GrpcDelayWithJitterKeepsTheOrderOfAStreamsMessages) {
  const auto delay =
      arm_kind("grpc_delay", R"({"delay": "100ms", "jitter": "100ms"})", {.stage = Stage::request_message});
  const int32_t id = open_call();
  std::string sent;
  const auto begin = Clock::now();
  for (int number = 0; number < 50; ++number) {
    const std::string message = grpc_message("message " + std::to_string(number));
    client.http2.send(id, message, number == 49);
    client.write();
    sent += message;
  }
  ASSERT_TRUE(run_until([&] { return server_has(id) && server.http2.streams[id].end; }));
  EXPECT_EQ(server.http2.streams[id].body, sent);
  EXPECT_GE(Clock::now() - begin, 100ms);      // the longest of fifty is well above the mean
  EXPECT_LT(Clock::now() - begin, 50 * 50ms);  // one after the other would take 5 s
  EXPECT_EQ(delay->tally(), (faults::FaultTally{.eligible = 1, .hits = 1}));
  expect_no_complaints();
}

}  // namespace
}  // namespace breakwire::relay::testing
