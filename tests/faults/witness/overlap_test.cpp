// Faults of several kinds in force together, as nghttp2 sees what comes of it (docs/faults.md, "Faults that
// overlap").
#include "tests/faults/relay/http2_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::FaultTally;
using faults::Stage;

class OverlapWitnessTest : public Http2RelayTest {
 protected:
  /// Armed now, at this place of the timeline.
  std::unique_ptr<ActiveFault> arm_at(size_t place, const std::string& id, const std::string& kind,
                                      const std::string& with, faults::Match match = {}) {
    return network->arm(
        edge,
        {.id = {id}, .kind = kind, .match = std::move(match), .order = place, .fault = of_kind(kind, with)});
  }
  std::string status_of(int32_t call) {
    return std::string(faults::value_of(client.http2.streams[call].trailers, "grpc-status").value_or("none"));
  }
};

TEST_F(OverlapWitnessTest, WhatAHangHeldIsAnsweredByTheStatusThatIsStillInForce) {
  const auto status = arm_at(2, "busy", "grpc_status", R"({"code": "ABORTED"})");
  auto hang = arm_at(1, "hang", "grpc_hang", "{}", {.stage = Stage::headers});
  const int32_t call = client.http2.request(request_fields("s/M"), grpc_message("ask"));
  ASSERT_TRUE(run_until_hit());
  EXPECT_FALSE(client.http2.streams[call].closed);
  EXPECT_EQ(status->tally(), (FaultTally{.eligible = 1, .hits = 0}));
  hang.reset();
  ASSERT_TRUE(run_until([&] { return client.http2.streams[call].closed.has_value(); }));
  EXPECT_EQ(status_of(call), "10");
  EXPECT_FALSE(server_has(call));
  EXPECT_EQ(status->tally(), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(OverlapWitnessTest, OneMetadataFaultRewritesWhatAnotherHasSet) {
  const auto second =
      arm_at(2, "second", "metadata", R"({"rewrite": {"x-tenant": "third"}})", {.stage = Stage::headers});
  const auto first =
      arm_at(1, "first", "metadata", R"({"set": {"x-tenant": "other"}})", {.stage = Stage::headers});
  const int32_t call = open_call();
  ASSERT_TRUE(run_until([&] { return server_has(call); }));
  EXPECT_EQ(faults::value_of(server.http2.streams[call].fields, "x-tenant"), "third");
  EXPECT_EQ(first->tally(), (FaultTally{.eligible = 1, .hits = 1}));
  EXPECT_EQ(second->tally(), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(OverlapWitnessTest, AnEditOfACallThatIsAnsweredInTheServicesPlaceIsNoHit) {
  const auto edit = arm_at(1, "edit", "metadata", R"({"set": {"x": "1"}})", {.stage = Stage::headers});
  const auto status = arm_at(2, "busy", "grpc_status", R"({"code": "ABORTED"})");
  const int32_t call = client.http2.request(request_fields("s/M"), grpc_message("ask"));
  ASSERT_TRUE(run_until([&] { return client.http2.streams[call].closed.has_value(); }));
  EXPECT_EQ(status_of(call), "10");
  EXPECT_EQ(edit->tally(), (FaultTally{.eligible = 1, .hits = 0}));
}

TEST_F(OverlapWitnessTest, OfTwoSettingsTheLaterEntrysIsSeenWhicheverCameFirst) {
  const auto streams = [&] {
    return nghttp2_session_get_remote_settings(client.http2.native(),
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  };
  ASSERT_TRUE(settle());
  auto later = arm_at(2, "later", "settings", R"({"max_concurrent_streams": 5})");
  ASSERT_TRUE(run_until([&] { return streams() == 5; }));
  const auto earlier = arm_at(1, "earlier", "settings", R"({"max_concurrent_streams": 1})");
  ASSERT_TRUE(settle());
  EXPECT_EQ(streams(), 5u);
  later.reset();
  EXPECT_TRUE(run_until([&] { return streams() == 1; }));
}

}  // namespace
}  // namespace breakwire::relay::testing
