// What is stored is what was recorded: every kind of event, every member.
#include "harness/history/ndjson.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

using namespace faults;

/// One event of every kind, no member left at its default.
History one_of_everything() {
  Setup setup = HistoryBuilder::shop();
  setup.seed = 42;
  setup.services[0].postgres = true;
  setup.services[1].external = true;
  setup.services[1].liveness = "";
  setup.edges[1].correlate = {Correlate::By::metadata, "x-request-id"};
  setup.edges[2].grpc = false;
  setup.loads[0].baseline_status = {StatusCode::ok, StatusCode::not_found};
  setup.faults = {{.id = {"slow"},
                   .kind = "latency",
                   .on = "a->b",
                   .process = true,
                   .call = true,
                   .instant = true,
                   .must_fire = 0,
                   .must_find_in_flight = 3}};
  setup.baseline = 500ms;
  setup.baseline_min_samples = 7;
  HistoryBuilder b(setup);
  b.at(-5s).phase(Phase::setup).at(0s).phase(Phase::baseline);
  b.at(1234567ns);
  const Instant now = b.now();
  const FrameTimes times{now - 1ns, now + 1ns};
  const EdgeId e{"a->b"};
  const ConnectionId c{3};
  b.add(ConnectionAccepted{e, c, now}).add(UpstreamRefused{e, c, now, "connection refused"});
  b.add(ProtocolDetected{e, c, now, Protocol::tls}).add(ConnectionEnded{e, c, now, Peer::relay, true, {"f"}});
  b.add(CallStarted{e, c, 5, times, "p.S/M", "host", 1500us, "t", "p", 2, "shoppers-1", "request-1"});
  b.add(CallStarted{e, c, 7, {now, std::nullopt}, "p.S/M", "", std::nullopt, "", "", 0, ""});
  b.add(ResponseStarted{e, c, 5, times, 502}).add(MessageSeen{e, c, 5, times, Direction::response, 4, 99});
  b.add(CallEnded{
      e, c, 5, times, Ending::ended_by_fault, StatusCode::aborted, "m \"q\" ü", Http2Error::cancel, {"f"}});
  b.add(CallEnded{e, c, 7, times, Ending::reset_by_upstream, {}, "", static_cast<Http2Error>(4711), {}});
  b.add(CallEnded{e, c, 9, times, Ending::trailers, StatusCode::unavailable, "", {}, {}, 0});
  b.add(GoawaySeen{e, c, times, Direction::request, 0x7fffffff, Http2Error::enhance_your_calm, "\xff\x00z"});
  b.add(PingSeen{e, c, times, Direction::response, true, 0xfedcba9876543210u});
  b.add(Forwarded{e, c, 5, FrameKind::goaway, now}).add(FaultHit{e, {"f"}, c, 5, now, "hold"});
  b.add(CallGivenUp{e, c, 5, now, Http2Error::cancel});
  b.add(LimitReached{e, c, now, Peer::upstream, "resets_per_second"});
  b.add(ProtocolViolation{e, c, now, Peer::downstream, "DATA on stream 0"});
  b.add(PhaseBegan{Phase::settling}).add(LoadBegan{{"l"}}).add(LoadEnded{{"l"}});
  b.add(CallIssued{{"l"}, 9, "l-9", "t", "p.S/M", now + 1s, now - 1ms, {{"order_id", "o-9"}, {"n", "3"}}});
  b.add(CallDone{{"l"}, 9, "l-9", StatusCode::data_loss, "lost", now, now + 1ns, now + 1s, 3});
  b.add(ProcessStarted{{"s"}, 77}).add(ServiceReady{{"s"}}).add(SignalSent{{"s"}, 77, 15, {"f"}, 4});
  b.add(ProcessExited{{"s"}, 77, std::nullopt, 11}).add(ProcessExited{{"s"}, 78, 0, std::nullopt});
  b.add(HealthSeen{{"s"}, "readiness", HealthStatus::unreachable, now - 5ms, "UNAVAILABLE"});
  b.add(CallCancelled{{"l"}, 7, "l-7"});
  b.add(LogSeen{{"s"}, "p.S/M", "UNAVAILABLE", StatusCode::unavailable, 12ms, std::string(32, 'a')});
  b.add(LogSeen{{"s"}, "p.S/M", "odd", {}, {}, ""});
  b.add(MetricsSeen{{"s"}, b.now(), {{"x_total{code=\"OK\"}", 12.5}, {"inf", HUGE_VAL}}, ""});
  b.add(ResourcesSeen{{"s"}, 12, 4, 33, 1u << 22});
  b.add(LedgerRead{"stored-once", {{"order-1", 1}, {"order-2", 2}}, ""});
  b.add(CommandEnded{"mine", 3, {}, false, "", {"a line", "another"}});
  b.add(RestartFailed{{"s"}, "died before it was ready\nits last output: \"no\""});
  b.add(FaultFailed{{"f"}, "its command cannot be started"});
  b.add(FaultFailed{{"f"}, "its command could not be ended", true});
  b.add(FaultArmed{{"f"}, 6}).add(FaultCleared{{"f"}, {.eligible = 8, .hits = 2}, now - 1ms});
  return b;
}

std::string stored(const History& history) {
  std::string text = to_ndjson_header(history.setup(), history.zero()) + "\n";
  for (const auto& event : history.events()) text += to_ndjson_line(event, history.zero()) + "\n";
  return text;
}

TEST(NdjsonTest, OneOfEverythingMeansEveryKind) {
  std::set<size_t> kinds;
  const History history = one_of_everything();
  for (const auto& event : history.events()) kinds.insert(event.what.index());
  EXPECT_EQ(kinds.size(), std::variant_size_v<Payload>);
}

TEST(NdjsonTest, WhatIsReadBackIsEqualEventByEvent) {
  const History history = one_of_everything();
  const auto read = read_ndjson(stored(history), "history.ndjson");
  ASSERT_TRUE(read.ok()) << render(read.errors());
  EXPECT_EQ(read->setup(), history.setup());
  ASSERT_EQ(read->events().size(), history.events().size());
  for (size_t i = 0; i < history.events().size(); ++i) {
    EXPECT_EQ(read->events()[i], history.events()[i]) << to_ndjson_line(history.events()[i], history.zero());
  }
}

TEST(NdjsonTest, ALineIsReadableByWhoeverHasJq) {
  const History history = one_of_everything();
  const auto line = to_ndjson_line(history.event({7}), history.zero());
  EXPECT_EQ(line,
            R"({"number": 7, "t_ns": 1234567, "type": "call_started", "edge": "a->b", "connection": 3, )"
            R"("stream": 5, "received_ns": 1234566, "forwarded_ns": 1234568, "method": "p.S/M", )"
            R"("authority": "host", "timeout_ns": 1500000, "trace_id": "t", "parent_id": "p", )"
            R"("previous_attempts": 2, "call_id": "shoppers-1", "correlation": "request-1"})");
}

TEST(NdjsonTest, SaysWhichLineIsWrong) {
  const std::string header = to_ndjson_header(HistoryBuilder::shop(), t0) + "\n";
  const auto error = [&](const std::string& lines) {
    const auto read = read_ndjson(header + lines, "h.ndjson");
    return read.ok() ? "" : std::to_string(read.errors()[0].where.line) + ": " + read.errors()[0].what;
  };
  EXPECT_EQ(error(""), "");
  EXPECT_EQ(error(R"({"number": 1, "t_ns": 0, "type": "nosuch"})"), "2: unknown event type `nosuch`");
  EXPECT_EQ(error(R"({"number": 1, "t_ns": "0", "type": "load_began"})"), "2: `t_ns` cannot be read");
  EXPECT_NE(error(R"({"number": 2, "t_ns": 0, "type": "load_began"})").find("2: its number is not"),
            std::string::npos);
  EXPECT_EQ(error("{").substr(0, 2), "2:");
  EXPECT_EQ(read_ndjson("", "h.ndjson").errors()[0].what, "the file is empty: there is no history in it");
  EXPECT_EQ(read_ndjson("{}\n", "h.ndjson").errors()[0].what, "this is not a history of version 1");
}

}  // namespace
}  // namespace breakwire::history
