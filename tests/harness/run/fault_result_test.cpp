// What the report says of one fault: which calls it hit, what was there when it hit none, how it was undone.
#include <gtest/gtest.h>

#include "harness/run/judge.h"
#include "tests/harness/history_builder.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

using history::HistoryBuilder;
using history::Phase;
using scenario::Scenario;

TEST(FaultResultTest, AFaultThatHitNothingSaysWhatWasThereInstead) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("busy", "grpc_status", to_orders, Duration(200ms), 200ms)};
  const auto reason = [&](uint64_t eligible, bool calls) {
    HistoryBuilder h(setup_of(scenario));
    h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
    const auto begin = [&](StreamId stream, const char* method) {
      h.add(faults::CallStarted{.edge = {to_orders},
                                .connection = {1},
                                .stream = stream,
                                .times = {h.now(), {}},
                                .method = method});
    };
    begin(1, "p.S/Before");
    h.add(faults::CallEnded{.edge = {to_orders},
                            .connection = {1},
                            .stream = 1,
                            .times = {h.now(), h.now()},
                            .status = StatusCode::ok});
    h.at(200ms).arm("busy").at(210ms);
    if (calls) {
      begin(3, "p.S/Get");
      begin(5, "p.S/Put");
      begin(7, "p.S/Put");
    }
    h.at(400ms).add(history::FaultCleared{.fault = {"busy"}, .tally = {.eligible = eligible, .hits = 0}});
    h.at(410ms);
    begin(9, "p.S/After");
    return judge(scenario, h).reason;
  };
  const std::string begins = "fault `busy` hit 0 times, must_fire asks for 1 (";
  EXPECT_EQ(
      reason(0, true),
      begins +
          "0 eligible of 3 calls on `storefront->orders` while it was in force: p.S/Put (2), p.S/Get (1))");
  EXPECT_EQ(reason(0, false),
            begins + "0 eligible: no call was seen on `storefront->orders` while it was in force)");
  EXPECT_EQ(reason(3, true),
            begins + "3 calls eligible: its `calls` picked none, or what it acts on never came)");
}

TEST(FaultResultTest, AFaultWithoutAConnectionSaysSo) {
  const Scenario scenario = slow_shop();
  const auto reason = [&](bool open, uint64_t eligible) {
    HistoryBuilder h(setup_of(scenario));
    h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
    h.add(faults::ConnectionAccepted{{to_orders}, {1}, h.now()});
    if (!open)
      h.add(faults::ConnectionEnded{.edge = {to_orders}, .connection = {1}, .at = h.now(), .fault = {}});
    h.at(200ms).arm("slow");
    h.at(400ms).add(history::FaultCleared{.fault = {"slow"}, .tally = {.eligible = eligible, .hits = 0}});
    return judge(scenario, h).reason;
  };
  const std::string begins = "fault `slow` hit 0 times, must_fire asks for 1 (";
  EXPECT_EQ(reason(false, 0), begins +
                                  "0 eligible: no connection was open on `storefront->orders` while it was "
                                  "in force, and none came)");
  EXPECT_EQ(reason(true, 0),
            begins + "0 eligible of 1 connection on `storefront->orders` while it was in force)");
  EXPECT_EQ(reason(true, 1), begins + "1 connection eligible: what it acts on never came)");
}

TEST(FaultResultTest, ACallThatWasHitIsASample) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("busy", "grpc_status", to_orders, Duration(200ms), 200ms)};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("busy").at(210ms);
  h.add(faults::CallStarted{.edge = {to_orders},
                            .connection = {4},
                            .stream = 3,
                            .times = {h.now(), {}},
                            .method = "p.S/Get",
                            .authority = {},
                            .timeout = {},
                            .trace_id = std::string(32, 'a'),
                            .parent_id = {},
                            .previous_attempts = 0,
                            .call_id = "l-7",
                            .correlation = {}});
  h.hit("busy", to_orders, 4, 3, "end_call").at(400ms).clear("busy");
  const ScenarioResult judged = judge(scenario, h);
  const FaultResult& fault = judged.faults.at(0);
  ASSERT_EQ(fault.sample_calls.size(), 1u);
  const SampleCall& sample = fault.sample_calls[0];
  EXPECT_EQ(sample.event, fault.samples.at(0));
  EXPECT_EQ(sample.at, Duration(210ms));
  EXPECT_EQ(sample.action, "end_call");
  EXPECT_EQ(sample.method, "p.S/Get");
  EXPECT_EQ(sample.call_id, "l-7");
  EXPECT_EQ(sample.trace_id, std::string(32, 'a'));
  EXPECT_EQ(sample.stream, 3u);
}

TEST(FaultResultTest, WhatCouldNotBeUndoneIsSaidOfTheCleanup) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("few", "limit", "orders", Duration(200ms), 200ms)};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("few").hit("few", "", 0, 0, "set_limits").at(400ms);
  h.add(history::FaultFailed{.fault = {"few"}, .why = "no such process", .in_cleanup = true}).clear("few");
  const ScenarioResult judged = judge(scenario, h);
  EXPECT_TRUE(judged.faults.at(0).fired);
  EXPECT_EQ(judged.faults.at(0).cleanup, "not healed: no such process");
}

}  // namespace
}  // namespace breakwire::run
