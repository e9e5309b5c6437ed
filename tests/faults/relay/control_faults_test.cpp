// Faults about a connection's control frames, with nghttp2 on both sides as the witness.
#include "tests/faults/relay/http2_peers.h"
#include "tests/faults/relay/real_kinds.h"
#include "tests/faults/relay/relay_test.h"

namespace breakwire::relay::testing {
namespace {

using faults::Direction;
using faults::FaultTally;

const faults::Metadata request_fields{{":method", "POST"}, {":scheme", "http"},
                                      {":path", "/s/M"},   {":authority", "server"},
                                      {"te", "trailers"},  {"content-type", "application/grpc"}};
const faults::Metadata response_fields{{":status", "200"}, {"content-type", "application/grpc"}};
const faults::Metadata ok_trailers{{"grpc-status", "0"}};
constexpr uint32_t max_id = 0x7fffffff;

class ControlFaultsTest : public RelayTest {
 protected:
  ControlFaultsTest()
      : port(open(listener.port())),
        client(dial(port), Endpoint::Role::client),
        server(listener.accept(), Endpoint::Role::server) {}

  std::unique_ptr<ActiveFault> arm_kind(const std::string& kind, const std::string& with = "{}",
                                        faults::Match match = {}) {
    return arm(kind, of_kind(kind, with), std::move(match));
  }
  bool run_until(const std::function<bool()>& done) { return testing::run_until(client, server, done); }
  int32_t start(std::string body = grpc_message("ask")) {
    return client.http2.request(request_fields, std::move(body));
  }
  bool arrived(int32_t id) { return server.http2.streams.contains(id) && server.http2.streams[id].end; }
  bool over(int32_t id) { return client.http2.streams[id].closed.has_value(); }
  void answer(int32_t id, std::string body = grpc_message("answer")) {
    server.http2.respond(id, response_fields, std::move(body), ok_trailers);
  }
  /// A whole call; all that was under way before it, both ways, has come through.
  void expect_a_call_to_work() {
    const int32_t id = start();
    ASSERT_TRUE(run_until([&] { return arrived(id); }));
    answer(id);
    ASSERT_TRUE(run_until([&] { return over(id); }));
    EXPECT_EQ(client.http2.streams[id].trailers, ok_trailers);
  }
  uint32_t seen_by_client(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(client.http2.native(), id);
  }
  void expect_no_complaints() const {
    EXPECT_EQ(client.http2.complaints, std::vector<std::string>{});
    EXPECT_EQ(server.http2.complaints, std::vector<std::string>{});
  }

  Listener listener;
  uint16_t port;
  mutable Http2Peer client;
  Http2Peer server;
};

TEST_F(ControlFaultsTest, MutePingTakesPingsAndNothingElse) {
  expect_a_call_to_work();
  auto mute = arm_kind("mute_ping");
  client.http2.ping(1);
  server.http2.ping(2);
  expect_a_call_to_work();
  EXPECT_EQ(server.http2.pings + server.http2.ping_acks, 0u);
  EXPECT_EQ(client.http2.pings + client.http2.ping_acks, 0u);
  EXPECT_EQ(mute->tally(), (FaultTally{.eligible = 1, .hits = 2})) << "once for each direction";
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "swallow");
  mute.reset();
  client.http2.ping(3);
  server.http2.ping(4);
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 1 && server.http2.ping_acks == 1; }));
  EXPECT_EQ(server.http2.pings, 1u) << "what was lost stays lost";
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, MutePingMayTakeTheAcksOfOneWayAndBringThemLate) {
  auto mute = arm_kind("mute_ping", R"({"mute": "acks", "late": true})", {.direction = Direction::response});
  client.http2.ping(1);
  client.http2.ping(2);
  server.http2.ping(3);
  ASSERT_TRUE(run_until([&] { return server.http2.pings == 2 && server.http2.ping_acks == 1; }));
  expect_a_call_to_work();
  EXPECT_EQ(client.http2.ping_acks, 0u);
  mute.reset();
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 2; }));
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, MutePingThatMatchesOtherConnectionsTouchesNothing) {
  const auto mute = arm_kind("mute_ping", "{}", {.connections = faults::Connections::fresh});
  client.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 1; }));
  EXPECT_EQ(mute->tally(), FaultTally{});
}

TEST_F(ControlFaultsTest, AFrozenWindowStopsTheCallerAtItsLastByte) {
  auto frozen = arm_kind("freeze_window", "{}", {.direction = Direction::response});
  const std::string body = grpc_message(std::string(200'000, 'x'));
  const int32_t id = start(body);
  ASSERT_TRUE(run_until([&] { return server.http2.streams[id].body.size() >= 65'535; }));
  client.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 1; }));
  EXPECT_EQ(server.http2.streams[id].body.size(), 65'535u) << "the window that it had at first, to the byte";
  EXPECT_FALSE(arrived(id));
  EXPECT_EQ(recorder.wait_for<faults::FaultHit>().front().action, "hold");
  frozen.reset();
  ASSERT_TRUE(run_until([&] { return arrived(id); }));
  EXPECT_EQ(server.http2.streams[id].body, body);
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, AFrozenWindowOfTheOtherWayStopsTheServicesAnswer) {
  auto frozen = arm_kind("freeze_window", "{}", {.direction = Direction::request});
  const int32_t id = start(grpc_message(std::string(200'000, 'x')));
  ASSERT_TRUE(run_until([&] { return arrived(id); })) << "the request is not concerned";
  const std::string body = grpc_message(std::string(200'000, 'y'));
  answer(id, body);
  ASSERT_TRUE(run_until([&] { return client.http2.streams[id].body.size() >= 65'535; }));
  server.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return server.http2.ping_acks == 1; }));
  EXPECT_EQ(client.http2.streams[id].body.size(), 65'535u);
  frozen.reset();
  ASSERT_TRUE(run_until([&] { return over(id); }));
  EXPECT_EQ(client.http2.streams[id].body, body);
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, AFrozenConnectionStopsAllCallsTogether) {
  auto frozen = arm_kind("freeze_window", R"({"windows": "connection"})");
  const int32_t first = start(std::string(60'000, 'x'));
  const int32_t second = start(std::string(60'000, 'x'));
  auto& streams = server.http2.streams;
  const auto sum = [&] { return streams[first].body.size() + streams[second].body.size(); };
  ASSERT_TRUE(run_until([&] { return sum() >= 65'535; }));
  client.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return client.http2.ping_acks == 1; }));
  EXPECT_EQ(sum(), 65'535u);
  frozen.reset();
  ASSERT_TRUE(run_until([&] { return arrived(first) && arrived(second); }));
  EXPECT_EQ(sum(), 120'000u);
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, FrozenStreamsStopEachByItself) {
  auto frozen = arm_kind("freeze_window", R"({"windows": "streams"})");
  const int32_t first = start(std::string(100'000, 'x'));
  const int32_t second = start(std::string(100'000, 'x'));
  auto& streams = server.http2.streams;
  ASSERT_TRUE(run_until(
      [&] { return streams[first].body.size() >= 65'535 && streams[second].body.size() >= 65'535; }));
  expect_a_call_to_work();
  EXPECT_EQ(streams[first].body.size(), 65'535u);
  EXPECT_EQ(streams[second].body.size(), 65'535u);
  frozen.reset();
  ASSERT_TRUE(run_until([&] { return arrived(first) && arrived(second); }));
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, ACallThatEndsWhileItsWindowIsFrozenTakesNothingWithIt) {
  auto frozen = arm_kind("freeze_window");
  const int32_t id = start(std::string(65'000, 'x'));
  ASSERT_TRUE(run_until([&] { return server.http2.streams[id].body.size() == 65'000; }));
  client.http2.reset(id, NGHTTP2_CANCEL);
  ASSERT_TRUE(run_until([&] { return server.http2.streams[id].closed.has_value(); }));
  frozen.reset();
  const std::string body(100'000, 'y');
  const int32_t next = start(body);
  ASSERT_TRUE(run_until([&] { return arrived(next); }));
  EXPECT_EQ(server.http2.streams[next].body, body);
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, SettingsOfAnOpenConnectionChangeAndComeBack) {
  expect_a_call_to_work();
  auto settings = arm_kind("settings", R"({"max_concurrent_streams": 1, "initial_window_size": "10B"})");
  ASSERT_TRUE(run_until([&] { return seen_by_client(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) == 1; }));
  EXPECT_EQ(seen_by_client(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE), 10u);
  EXPECT_EQ(settings->tally(), (FaultTally{.eligible = 1, .hits = 1}));
  const int32_t first = start();
  const int32_t second = start();
  ASSERT_TRUE(run_until([&] { return arrived(first); }));
  server.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return server.http2.ping_acks == 1; }));
  EXPECT_FALSE(server.http2.streams.contains(second)) << "one at a time";
  // A server that changes its mind meanwhile is heard when the fault is over.
  server.http2.settings(
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 50}, {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 9000}});
  ASSERT_TRUE(run_until([&] { return seen_by_client(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE) == 9000; }));
  EXPECT_EQ(seen_by_client(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 1u);
  settings.reset();
  ASSERT_TRUE(run_until([&] { return seen_by_client(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) == 50; }));
  EXPECT_EQ(seen_by_client(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE), 65'535u);
  ASSERT_TRUE(run_until([&] { return arrived(second); }));
  answer(first);
  answer(second);
  ASSERT_TRUE(run_until([&] { return over(first) && over(second); }));
  // nghttp2 takes an ACK of what it did not send for an error: that there are no complaints says it got none.
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, AMessageTravelsThroughAWindowOfTenBytes) {
  const auto settings = arm_kind("settings", R"({"initial_window_size": "10B"})");
  ASSERT_TRUE(run_until([&] { return seen_by_client(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) == 10; }));
  const int32_t id = start(std::string(1'000, 'x'));
  const auto window = [&] {
    return nghttp2_session_get_stream_remote_window_size(client.http2.native(), id);
  };
  ASSERT_TRUE(run_until([&] {
    EXPECT_LE(window(), 10);
    return arrived(id);
  }));
  EXPECT_EQ(server.http2.streams[id].body, std::string(1'000, 'x'));
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, ANewConnectionBeginsWithTheEditedSettings) {
  const auto settings =
      arm_kind("settings", R"({"max_concurrent_streams": 3})", {.connections = faults::Connections::fresh});
  expect_a_call_to_work();
  EXPECT_NE(seen_by_client(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 3u);
  Http2Peer fresh(dial(port), Endpoint::Role::client);
  Http2Peer behind(listener.accept(), Endpoint::Role::server);
  behind.http2.on_request = [&](int32_t id) {
    behind.http2.respond(id, response_fields, grpc_message("answer"), ok_trailers);
  };
  const int32_t id = fresh.http2.request(request_fields, grpc_message("ask"));
  ASSERT_TRUE(testing::run_until(fresh, behind, [&] { return fresh.http2.streams[id].closed.has_value(); }));
  EXPECT_EQ(
      nghttp2_session_get_remote_settings(fresh.http2.native(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 3u);
  EXPECT_EQ(fresh.http2.complaints, std::vector<std::string>{});
  EXPECT_EQ(behind.http2.complaints, std::vector<std::string>{});
  EXPECT_EQ(settings->tally(), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(ControlFaultsTest, TheCallersSettingsAreEditedTowardsTheService) {
  auto settings = arm_kind("settings", R"({"of": "caller", "initial_window_size": "5B"})");
  const auto window = [&] {
    return nghttp2_session_get_remote_settings(server.http2.native(), NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
  };
  const int32_t id = start();
  ASSERT_TRUE(run_until([&] { return arrived(id) && window() == 5; }));
  answer(id);
  ASSERT_TRUE(run_until([&] { return client.http2.streams[id].body.size() == 5; }));
  EXPECT_FALSE(over(id));
  settings.reset();
  ASSERT_TRUE(run_until([&] { return over(id); }));
  EXPECT_EQ(client.http2.streams[id].body, grpc_message("answer"));
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, GoawayComesInTwoStepsAndTheConnectionEndsWithItsLastCall) {
  const int32_t id = start();
  ASSERT_TRUE(run_until([&] { return arrived(id); }));
  auto goaway = arm_kind("goaway", R"({"code": "ENHANCE_YOUR_CALM", "debug": "max_age"})");
  const auto tally = goaway->tally();
  goaway.reset();  // at one moment, as a file without `for` has it
  EXPECT_EQ(tally, (FaultTally{.eligible = 1, .hits = 1}));
  ASSERT_TRUE(run_until([&] { return client.http2.goaway_lasts.size() == 2; }));
  EXPECT_EQ(client.http2.goaway_lasts, (std::vector<uint32_t>{max_id, static_cast<uint32_t>(id)}));
  EXPECT_EQ(client.http2.goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(client.http2.goaway_debug, "max_age");
  EXPECT_EQ(client.http2.pings, 1u) << "ours";
  EXPECT_FALSE(client.end);
  answer(id);
  ASSERT_TRUE(run_until([&] { return client.end && server.end; }));
  EXPECT_EQ(client.http2.streams[id].trailers, ok_trailers);
  EXPECT_EQ(client.end, 0);
  EXPECT_EQ(server.end, 0);
  EXPECT_EQ(server.http2.pings + server.http2.ping_acks, 0u);
  EXPECT_FALSE(server.http2.goaway_last) << "the service hears nothing of it";
  EXPECT_TRUE(recorder.all<faults::GoawaySeen>().empty()) << "and is not taken for the one who said it";
  const auto ended = wait_for_end();
  EXPECT_EQ(ended.by, faults::Peer::relay);
  EXPECT_EQ(ended.fault, FaultId{"goaway"});
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, GoawayAtOnceRefusesOnlyWhatNeverArrived) {
  const int32_t id = start();
  ASSERT_TRUE(run_until([&] { return arrived(id); }));
  const auto hang = arm_kind("grpc_hang", "{}", {.stage = faults::Stage::headers});
  const int32_t held = start();
  client.http2.ping(1);
  ASSERT_TRUE(run_until([&] { return server.http2.pings == 1; })) << "the relay has read the held call";
  const auto goaway = arm_kind("goaway", R"({"last": "forwarded", "then": "stay"})");
  ASSERT_TRUE(run_until([&] { return over(held); }));
  EXPECT_EQ(client.http2.goaway_lasts, (std::vector<uint32_t>{static_cast<uint32_t>(id)}));
  EXPECT_EQ(client.http2.streams[held].closed, NGHTTP2_REFUSED_STREAM);
  EXPECT_FALSE(server.http2.streams.contains(held));
  answer(id);
  ASSERT_TRUE(run_until([&] { return over(id); }));
  EXPECT_EQ(client.http2.streams[id].trailers, ok_trailers);
  EXPECT_FALSE(client.end) << "it stays";
  const auto ended = recorder.wait_for<faults::CallEnded>();
  EXPECT_EQ(ended[0].how, faults::Ending::refused_by_goaway);
  EXPECT_EQ(ended[0].fault, FaultId{"goaway"});
  expect_no_complaints();
}

TEST_F(ControlFaultsTest, GoawayMayCloseUnderTheCalls) {
  const int32_t id = start();
  ASSERT_TRUE(run_until([&] { return arrived(id); }));
  const auto goaway = arm_kind("goaway", R"({"last": "forwarded", "then": "close"})");
  ASSERT_TRUE(run_until([&] { return client.end && server.end; }));
  EXPECT_EQ(client.end, 0);
  EXPECT_EQ(server.end, 0);
  EXPECT_EQ(client.http2.goaway_lasts, (std::vector<uint32_t>{static_cast<uint32_t>(id)}));
  const auto ended = recorder.wait_for<faults::CallEnded>().front();
  EXPECT_EQ(ended.how, faults::Ending::ended_by_fault);
  EXPECT_EQ(ended.fault, FaultId{"goaway"});
}

TEST_F(ControlFaultsTest, GoawayReachesNewConnectionsOnceTheServiceHasSpoken) {
  const auto goaway = arm_kind("goaway", R"({"then": "stay"})", {.connections = faults::Connections::fresh});
  expect_a_call_to_work();
  EXPECT_FALSE(client.http2.goaway_last);
  Http2Peer fresh(dial(port), Endpoint::Role::client);
  Http2Peer behind(listener.accept(), Endpoint::Role::server);
  // nghttp2 does not answer PINGs once it has read a GOAWAY and has no call under way.
  const int32_t id = fresh.http2.request(request_fields, grpc_message("ask"));
  fresh.write();
  ASSERT_TRUE(behind.socket.ready(POLLIN, patience));
  EXPECT_TRUE(fresh.socket.silent()) << "nothing comes before the service's SETTINGS";
  EXPECT_EQ(goaway->tally(), (FaultTally{.eligible = 1, .hits = 0}));
  ASSERT_TRUE(testing::run_until(fresh, behind, [&] { return fresh.http2.goaway_lasts.size() == 2; }));
  EXPECT_EQ(fresh.http2.goaway_lasts, (std::vector<uint32_t>{max_id, static_cast<uint32_t>(id)}));
  EXPECT_EQ(fresh.http2.complaints, std::vector<std::string>{});
  EXPECT_EQ(goaway->tally(), (FaultTally{.eligible = 1, .hits = 1}));
}

TEST_F(ControlFaultsTest, WhatSpeaksHttp2NeverHitsAConnectionThatDoesNot) {
  Listener database;
  const EdgeId plain{"b->db"};
  const uint16_t to = network->open({.id = plain, .upstream = TcpAddress{.port = database.port()}}).port;
  Socket caller = dial(to);
  Socket behind = database.accept();
  std::vector<std::unique_ptr<ActiveFault>> armed;
  for (const auto& [kind, with] :
       std::map<std::string, std::string>{{"goaway", "{}"},
                                          {"settings", R"({"max_concurrent_streams": 1})"},
                                          {"mute_ping", "{}"},
                                          {"freeze_window", "{}"}}) {
    armed.push_back(network->arm(plain, {.id = {kind}, .kind = kind, .fault = of_kind(kind, with)}));
  }
  EXPECT_TRUE(caller.send("SELECT 1"));
  EXPECT_EQ(behind.receive(8), "SELECT 1");
  EXPECT_TRUE(behind.send("1"));
  EXPECT_EQ(caller.receive(1), "1");
  for (const auto& fault : armed) EXPECT_EQ(fault->tally().hits, 0u);
}

}  // namespace
}  // namespace breakwire::relay::testing
