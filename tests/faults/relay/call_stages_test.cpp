// Faults that stop or end a call, at each stage and at a message of a stream, with nghttp2 as the witness.
#include "faults/kinds/names.h"
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::FaultTally;
using faults::Stage;

std::string name_of(Stage stage) { return Codec<std::optional<Stage>>::show(stage); }

class HangStageTest : public Http2RelayTest, public ::testing::WithParamInterface<Stage> {};
INSTANTIATE_TEST_SUITE_P(All, HangStageTest,
                         ::testing::Values(Stage::headers, Stage::request_message, Stage::request_end,
                                           Stage::response_headers, Stage::response_message,
                                           Stage::response_end),
                         [](const auto& tested) { return name_of(tested.param); });

TEST_P(HangStageTest, GrpcHangHoldsTheCallThereAndLosesNothingWhenItIsOver) {
  const Stage stage = GetParam();
  server.http2.on_request = [this](int32_t id) {
    server.http2.respond(id, response_fields, grpc_message("answer"), ok_trailers);
  };
  auto hang = arm_kind("grpc_hang", "{}", {.method = "s/Held", .stage = stage});
  const int32_t held = client.http2.request(request_fields("s/Held"), grpc_message("ask"));
  const int32_t free = client.http2.request(request_fields("s/Free"), grpc_message("ask"));
  ASSERT_TRUE(run_until([&] { return client.http2.streams[free].closed.has_value(); }));
  ASSERT_TRUE(settle());
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().size(), 1u);
  const auto& got = client.http2.streams[held];
  EXPECT_EQ(got.fields.empty(), stage <= Stage::response_headers);
  EXPECT_EQ(got.body, stage == Stage::response_end ? grpc_message("answer") : "");
  EXPECT_TRUE(got.trailers.empty());
  const auto& at_server = server.http2.streams;
  size_t messages = 0;
  size_t ends = 0;
  for (const auto& [id, stream] : at_server) {
    messages += stream.body.size() / grpc_message("ask").size();
    ends += stream.end ? 1 : 0;
  }
  EXPECT_EQ(at_server.size(), stage == Stage::headers ? 1u : 2u);
  EXPECT_EQ(messages, stage <= Stage::request_message ? 1u : 2u);
  EXPECT_EQ(ends, stage <= Stage::request_end ? 1u : 2u);

  hang.reset();
  ASSERT_TRUE(run_until([&] { return client.http2.streams[held].closed.has_value(); }));
  EXPECT_EQ(client.http2.streams[held].body, grpc_message("answer"));
  EXPECT_EQ(client.http2.streams[held].trailers, ok_trailers);
  expect_no_complaints();
}

TEST_P(HangStageTest, GrpcHangLetsACancelThrough) {
  const Stage stage = GetParam();
  server.http2.on_request = [this](int32_t id) {
    server.http2.respond(id, response_fields, grpc_message("answer"), ok_trailers);
  };
  const auto hang = arm_kind("grpc_hang", "{}", {.stage = stage});
  const int32_t held = client.http2.request(request_fields("s/Held"), grpc_message("ask"));
  ASSERT_TRUE(run_until_hit());
  client.http2.reset(held, NGHTTP2_CANCEL);
  ASSERT_TRUE(settle());
  const auto ended = recorder.wait_for<faults::CallEnded>();
  EXPECT_EQ(ended.size(), 1u);
  if (stage == Stage::request_message || stage == Stage::request_end) {
    ASSERT_TRUE(run_until([&] { return server.http2.streams[held].closed.has_value(); }));
    EXPECT_EQ(server.http2.streams[held].closed, NGHTTP2_CANCEL);
  }
  expect_no_complaints();
}

/// A kind that acts at messages, and how the stream's messages before and behind the one that is hit fare.
struct MessageCase {
  std::string kind, with;
};
class MessageMatchTest : public Http2RelayTest,
                         public ::testing::WithParamInterface<std::tuple<MessageCase, Stage>> {
 protected:
  bool requests() const { return std::get<1>(GetParam()) == Stage::request_message; }
  const std::string& received(int32_t id) {
    return requests() ? server.http2.streams[id].body : client.http2.streams[id].body;
  }
};
INSTANTIATE_TEST_SUITE_P(
    All, MessageMatchTest,
    ::testing::Combine(::testing::Values(MessageCase{"grpc_hang", "{}"},
                                         MessageCase{"grpc_delay", R"({"delay": "1h"})"},
                                         MessageCase{"rst_stream", R"({"code": "INTERNAL_ERROR"})"},
                                         MessageCase{"drop_connection", R"({"by": "close"})"},
                                         MessageCase{"truncate_message", R"({"bytes": "0B"})"}),
                       ::testing::Values(Stage::request_message, Stage::response_message)),
    [](const auto& tested) {
      return std::get<0>(tested.param).kind + "_" + name_of(std::get<1>(tested.param));
    });

TEST_P(MessageMatchTest, TheMessagesBeforeTheNamedOnePassAndItDoesNot) {
  const auto& [what, stage] = GetParam();
  const auto fault = arm_kind(what.kind, what.with, {.message = 2, .stage = stage});
  const std::string passing = grpc_message("zero") + grpc_message("one");
  const std::string all = passing + grpc_message("two") + grpc_message("three");
  server.http2.on_headers = [&](int32_t id) {
    server.http2.respond(id, response_fields, requests() ? "" : all, ok_trailers);
  };
  if (requests()) server.http2.on_headers = {};
  const int32_t id = client.http2.request(request_fields("s/M"), requests() ? all : "", requests());
  ASSERT_TRUE(run_until([&] { return received(id).size() >= passing.size() || client.end; }));
  ASSERT_TRUE(settle());
  recorder.wait_for<faults::FaultHit>();
  EXPECT_EQ(received(id), passing);
  EXPECT_EQ(fault->tally(), (FaultTally{.eligible = 1, .hits = 1}));
}

}  // namespace
}  // namespace breakwire::relay::testing
