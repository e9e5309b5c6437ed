// Fields that are changed on their way, and what that does to blocks and to what is told.
#include <gtest/gtest.h>

#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {
namespace {

using faults::Ending;
using faults::Stage;

faults::Ruling effect(faults::WireAction action, std::string by = "edit") {
  return {.effects = {{.by = {std::move(by)}, .action = std::move(action)}}};
}
faults::EditFields set(std::string name, std::string value) {
  return {.remove = {}, .set = {{std::move(name), std::move(value)}}, .rewrite = {}};
}
faults::EditFields remove(std::string name) {
  return {.remove = {std::move(name)}, .set = {}, .rewrite = {}};
}

std::function<faults::Ruling(const faults::CallReached&)> editing(Stage stage, faults::EditFields edit) {
  return [=](const faults::CallReached& reached) {
    return reached.stage == stage ? effect(edit) : faults::Ruling{};
  };
}

TEST(EditFieldsTest, BlocksPassVerbatimUpToTheFirstEditedOne) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    return reached.stage == Stage::headers && reached.call->stream == 3 ? effect(set("x-new", "1"))
                                                                        : faults::Ruling{};
  };
  wire.client(Wire::request(1, true));
  EXPECT_EQ(wire.to_server(), Wire::request(1, true));
  wire.client(Wire::request(3, true));
  EXPECT_NE(wire.to_server(), "");
  wire.client(Wire::request(5, true));
  EXPECT_NE(wire.to_server(), Wire::request(5, true));  // re-encoded: it may refer to what was added
  EXPECT_EQ(wire.seen<faults::FaultHit>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::FaultHit>()[0].action, "edit_fields");
}

TEST(EditFieldsTest, RequestsArriveWithTheEditAndEventsShowWhatWasSent) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != Stage::headers || reached.call->stream != 3) return faults::Ruling{};
    EXPECT_EQ(reached.fields, &reached.call->metadata);
    return effect(
        faults::EditFields{.remove = {"grpc-timeout"}, .set = {{"x-request-id", "new"}}, .rewrite = {}});
  };
  const faults::Metadata more{{"authorization", "secret", true},
                              {"grpc-timeout", "1S"},
                              {"x-twice", "a"},
                              {"x-request-id", "r-1"},
                              {"x-twice", "b"}};
  for (int i = 0; i < 4; ++i) world.client.request(request_fields("s/M", more), grpc_message("x"));
  world.run();
  for (const int32_t id : {1, 5, 7}) EXPECT_EQ(world.server.streams[id].fields, request_fields("s/M", more));
  EXPECT_EQ(world.server.streams[3].fields, request_fields("s/M", {{"authorization", "secret", true},
                                                                   {"x-twice", "a"},
                                                                   {"x-request-id", "new"},
                                                                   {"x-twice", "b"}}));
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  for (const auto& started : world.host.all<faults::CallStarted>()) {
    EXPECT_EQ(started.timeout, 1s);
    EXPECT_EQ(started.correlation, "r-1");
    EXPECT_TRUE(started.times.forwarded);
  }
}

TEST(EditFieldsTest, ResponsesAreEditedAtTheirBeginningOrTheirEnd) {
  for (const Stage stage : {Stage::response_headers, Stage::response_end}) {
    World world;
    world.echo();
    world.host.rule = editing(stage, set("x-new", "1"));
    world.client.request(request_fields("s/M"), grpc_message("x"));
    world.client.request(request_fields("s/M"), grpc_message("y"));
    world.run();
    faults::Metadata begin = response_fields();
    faults::Metadata end = ok_trailers();
    (stage == Stage::response_end ? end : begin).push_back({"x-new", "1"});
    for (const int32_t id : {1, 3}) {
      EXPECT_EQ(world.client.streams[id].fields, begin);
      EXPECT_EQ(world.client.streams[id].trailers, end);
    }
    EXPECT_EQ(world.client.streams[3].body, grpc_message("y"));
    EXPECT_EQ(world.complaints(), std::vector<std::string>{});
    for (const auto& ended : world.host.all<faults::CallEnded>()) EXPECT_EQ(ended.how, Ending::trailers);
  }
}

TEST(EditFieldsTest, ACallWhoseStatusWasChangedHasEndedByTheFault) {
  Wire wire;
  wire.begin();
  wire.host.rule = editing(Stage::response_end, set("grpc-status", "9"));
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::headers(1, ok_trailers(), true));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::ended_by_fault);
  EXPECT_EQ(ended[0].status, StatusCode::failed_precondition);
  EXPECT_EQ(ended[0].fault.text, "edit");
}

TEST(EditFieldsTest, APushbackIsToldAsTheCallerGotIt) {
  Wire wire;
  wire.begin();
  wire.host.rule = editing(Stage::response_end, set("grpc-retry-pushback-ms", "70"));
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::headers(1, {{"grpc-status", "14"}}, true));
  const auto ended = wire.seen<faults::CallEnded>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].how, Ending::trailers);
  EXPECT_EQ(ended[0].pushback_ms, 70);
}

TEST(EditFieldsTest, AllFieldsOfTrailersMayGo) {
  World world;
  world.echo();
  world.host.rule = editing(Stage::response_end, remove("grpc-status"));
  world.client.request(request_fields("s/M"), grpc_message("x"));
  world.run();
  EXPECT_TRUE(world.client.streams[1].end);
  EXPECT_TRUE(world.client.streams[1].trailers.empty());
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.host.all<faults::CallEnded>()[0].status, StatusCode::unknown);
}

TEST(EditFieldsTest, WhatChangesNothingIsNoHitAndLeavesTheBlockAsItWas) {
  Wire wire;
  wire.begin();
  wire.host.rule = editing(Stage::headers, remove("x-not-there"));
  wire.client(Wire::request(1, true) + Wire::request(3, true));
  EXPECT_EQ(wire.to_server(), Wire::request(1, true) + Wire::request(3, true));
  EXPECT_EQ(wire.seen<faults::FaultHit>().size(), 0u);
}

TEST(EditFieldsTest, IsMadeWhenTheFrameLeavesUnlessItsFaultIsOver) {
  for (const char* cleared : {"hang", "edit"}) {
    Wire wire;
    wire.begin();
    wire.host.rule = [](const faults::CallReached& reached) {
      if (reached.stage != Stage::headers) return faults::Ruling{};
      faults::Ruling ruled = effect(set("x-new", "1"));
      ruled.action = faults::Hold{};
      ruled.by = {"hang"};
      return ruled;
    };
    wire.host.rule_again = [cleared](const faults::CallReached& reached) {
      const bool in_force = std::string_view(cleared) == "hang" && reached.stage == Stage::headers;
      return in_force ? effect(set("x-new", "1")) : faults::Ruling{};
    };
    wire.client(Wire::request(1, true));
    wire.clear(cleared);
    wire.clear("hang");
    const std::string left = wire.to_server();
    EXPECT_EQ(left == Wire::request(1, true), std::string_view(cleared) == "edit");
    EXPECT_EQ(wire.seen<faults::FaultHit>().size(), std::string_view(cleared) == "edit" ? 1u : 2u);
  }
}

TEST(EditFieldsTest, OfSeveralFaultsEachIsMadeInOrder) {
  World world;
  world.echo();
  world.host.rule = [](const faults::CallReached& reached) {
    faults::Ruling ruled;
    if (reached.stage != Stage::headers) return ruled;
    ruled.effects.push_back({.by = {"first"}, .action = set("x-new", "1")});
    ruled.effects.push_back({.by = {"second"}, .action = set("x-new", "2")});
    return ruled;
  };
  world.client.request(request_fields("s/M"), "");
  world.run();
  EXPECT_EQ(world.server.streams[1].fields, request_fields("s/M", {{"x-new", "2"}}));
  EXPECT_EQ(world.host.all<faults::FaultHit>().size(), 2u);
}

TEST(EditFieldsTest, AnAnswerOfAnotherFaultLeavesNothingToEdit) {
  Wire wire;
  wire.begin();
  wire.host.rule = [](const faults::CallReached& reached) {
    if (reached.stage != Stage::response_end) return faults::Ruling{};
    faults::Ruling ruled = effect(set("grpc-status", "9"));
    ruled.action = faults::EndCall{StatusCode::aborted, "", {}};
    ruled.by = {"status"};
    return ruled;
  };
  wire.client(Wire::request(1, true));
  wire.server(Wire::headers(1, response_fields()) + Wire::headers(1, ok_trailers(), true));
  EXPECT_EQ(wire.to_client(),
            Wire::headers(1, response_fields()) + Wire::headers(1, {{"grpc-status", "10"}}, true));
  ASSERT_EQ(wire.seen<faults::FaultHit>().size(), 1u);
  EXPECT_EQ(wire.seen<faults::FaultHit>()[0].fault.text, "status");
}

}  // namespace
}  // namespace breakwire::http2::testing
