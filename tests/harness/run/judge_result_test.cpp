// What a result says besides its verdict: phases, services' processes, loads, joins, notes; and when a run
// has settled.
#include <gtest/gtest.h>

#include <csignal>

#include "harness/run/judge.h"
#include "tests/harness/history_builder.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

using history::HistoryBuilder;
using history::Phase;
using history::t0;
using scenario::Scenario;

Scenario plain() {
  Scenario made = shop();
  made.expect = {expectation("outcomes", passing())};
  return made;
}

TEST(JudgeResultTest, PhasesFollowOneAnotherFromBeforeZero) {
  HistoryBuilder h(setup_of(plain()));
  h.at(-300ms).phase(Phase::setup).at(0ms).phase(Phase::baseline).at(100ms).phase(Phase::main);
  h.at(900ms).phase(Phase::teardown).at(950ms).phase(Phase::ended);
  const auto phases = judge(plain(), h).phases;
  ASSERT_EQ(phases.size(), 4u);
  EXPECT_EQ(phases[0].name, "setup");
  EXPECT_EQ(phases[0].began, Duration(-300ms));
  EXPECT_EQ(phases[0].ended, Duration(0));
  EXPECT_EQ(phases[1].name, "baseline");
  EXPECT_EQ(phases[2].name, "main");
  EXPECT_EQ(phases[2].ended, Duration(900ms));
  EXPECT_EQ(phases[3].name, "teardown");
  EXPECT_EQ(phases[3].ended, Duration(950ms));
}

TEST(JudgeResultTest, EveryProcessOfAServiceIsThereWithItsEnd) {
  Scenario scenario = plain();
  scenario.services[2].what = scenario::External{.host = "127.0.0.1", .port = 1};
  scenario::Service db;
  db.id = {"db"};
  db.what = scenario::PostgresService{};
  scenario.services.push_back(db);
  scenario.timeline = {entry("kill", "kill", "orders", Duration(200ms))};
  HistoryBuilder h(setup_of(scenario));
  h.at(-90ms).phase(Phase::setup).at(-80ms).process("orders", 10).process("storefront", 11);
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("kill").hit("kill").signal("orders", 10, SIGKILL, "kill").clear("kill");
  h.at(210ms).exit("orders", 10, {}, SIGKILL).at(300ms).process("orders", 12);
  h.at(400ms).exit("storefront", 11, 3);
  h.at(500ms).phase(Phase::teardown).signal("orders", 12, SIGTERM).at(510ms).exit("orders", 12, 0);
  const auto services = judge(scenario, h).services;
  ASSERT_EQ(services.size(), 4u);
  EXPECT_EQ(services[0].kind, "process");
  EXPECT_EQ(services[2].kind, "external");
  EXPECT_EQ(services[3].kind, "postgres");
  EXPECT_TRUE(services[2].processes.empty());

  ASSERT_EQ(services[1].id.text, "orders");
  const auto& lives = services[1].processes;
  ASSERT_EQ(lives.size(), 2u);
  EXPECT_EQ(lives[0].pid, 10);
  EXPECT_EQ(lives[0].started, Duration(-80ms));
  EXPECT_EQ(lives[0].exited, Duration(210ms));
  EXPECT_EQ(lives[0].signal, SIGKILL);
  EXPECT_TRUE(lives[0].expected) << "a fault did it";
  EXPECT_EQ(lives[1].code, 0);
  EXPECT_TRUE(lives[1].expected) << "breakwire stopped it";

  ASSERT_EQ(services[0].processes.size(), 1u);
  EXPECT_EQ(services[0].processes[0].code, 3);
  EXPECT_FALSE(services[0].processes[0].expected) << "nobody did it";
}

TEST(JudgeResultTest, ALoadIsCountedByStatusAndItsLatencyByPhase) {
  Scenario scenario = plain();
  scenario.timeline = {entry("slow", "latency", to_orders, Duration(200ms))};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline);
  h.at(10ms).issue(1).at(15ms).done(1);
  h.at(100ms).phase(Phase::main);
  h.at(110ms).issue(2).at(130ms).done(2);
  h.at(120ms).issue(3).at(160ms).done(3, StatusCode::unavailable);
  h.at(130ms).issue(4);
  const auto loads = judge(scenario, h).loads;
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].id.text, "shoppers");
  EXPECT_EQ(loads[0].via.text, "client->storefront");
  EXPECT_EQ(loads[0].issued, 4u);
  EXPECT_EQ(loads[0].unfinished, 1u);
  EXPECT_EQ(loads[0].by_status,
            (std::map<StatusCode, uint64_t>{{StatusCode::ok, 2}, {StatusCode::unavailable, 1}}));
  ASSERT_EQ(loads[0].latency.size(), 2u);
  EXPECT_EQ(loads[0].latency[0].first, "baseline");
  EXPECT_EQ(loads[0].latency[0].second.samples, 1u);
  EXPECT_DOUBLE_EQ(loads[0].latency[0].second.max_ms, 5);
  EXPECT_EQ(loads[0].latency[1].first, "main");
  EXPECT_EQ(loads[0].latency[1].second.samples, 2u);
  EXPECT_DOUBLE_EQ(loads[0].latency[1].second.p50_ms, 20);
  EXPECT_DOUBLE_EQ(loads[0].latency[1].second.max_ms, 40);
}

TEST(JudgeResultTest, WithoutAMainPhaseAllLatencyIsTheBaselines) {
  Scenario scenario = plain();
  scenario.timeline = {entry("slow", "latency", to_orders, Duration(200ms))};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(15ms).done(1, StatusCode::internal);
  h.at(100ms).phase(Phase::teardown);
  const auto latency = judge(scenario, h).loads.at(0).latency;
  ASSERT_EQ(latency.size(), 1u);
  EXPECT_EQ(latency[0].first, "baseline");
}

TEST(JudgeResultTest, LatencyAndLateStartsCountFromTheIntendedStart) {
  HistoryBuilder h(setup_of(plain()));
  h.at(0ms).phase(Phase::main);
  const auto issue = [&](uint64_t number, Duration intended, Duration actual, Duration done) {
    history::CallIssued issued{.load = {"shoppers"},
                               .number = number,
                               .call_id = "shoppers-" + std::to_string(number),
                               .trace_id = {},
                               .method = {},
                               .deadline = {},
                               .intended = t0 + intended};
    h.at(actual).add(issued);
    h.at(done).add(history::CallDone{.load = issued.load,
                                     .number = number,
                                     .call_id = issued.call_id,
                                     .status = StatusCode::ok,
                                     .message = {},
                                     .intended = issued.intended,
                                     .issued = t0 + actual,
                                     .deadline = {},
                                     .responses = 1});
  };
  issue(1, 10ms, 10ms, 20ms);
  issue(2, 30ms, 35ms, 40ms);
  issue(3, 50ms, 56ms, 80ms);
  const auto load = judge(plain(), h).loads.at(0);
  EXPECT_EQ(load.late_starts, 1u) << "more than 5 ms is late";
  EXPECT_DOUBLE_EQ(load.latency.at(0).second.max_ms, 30);
}

struct PercentileCase {
  std::string name;
  std::vector<double> of;
  Percentiles expected;
};
class PercentilesTest : public testing::TestWithParam<PercentileCase> {};

TEST_P(PercentilesTest, AreNearestRank) {
  const Percentiles p = percentiles_of(GetParam().of);
  const Percentiles& e = GetParam().expected;
  EXPECT_EQ(p.samples, e.samples);
  EXPECT_EQ(std::vector({p.p50_ms, p.p90_ms, p.p95_ms, p.p99_ms, p.max_ms}),
            std::vector({e.p50_ms, e.p90_ms, e.p95_ms, e.p99_ms, e.max_ms}));
}

std::vector<double> hundred_down() {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  return values;
}

INSTANTIATE_TEST_SUITE_P(
    Tables, PercentilesTest,
    testing::Values(PercentileCase{"none", {}, {}}, PercentileCase{"one", {7}, {1, 7, 7, 7, 7, 7}},
                    PercentileCase{"two", {9, 1}, {2, 1, 9, 9, 9, 9}},
                    PercentileCase{"ten", {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, {10, 5, 9, 10, 10, 10}},
                    PercentileCase{"hundred", hundred_down(), {100, 50, 90, 95, 99, 100}}),
    [](const auto& one) { return one.param.name; });

TEST(JudgeResultTest, TheWayAttemptsWereJoinedIsSaidForEdgesThatCarriedCalls) {
  Scenario scenario = plain();
  scenario.edges[1].correlate.by = history::Correlate::By::trace;
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::main).accept(to_orders, 1).start(to_orders, 1, 1, {.trace = 1}).end(to_orders, 1, 1);
  const auto correlated = judge(scenario, h).correlated;
  ASSERT_EQ(correlated.size(), 1u);
  EXPECT_EQ(correlated[0], std::pair(std::string(to_orders), std::string("trace")));
}

TEST(JudgeResultTest, TheRelaysOwnLimitsAreNotedOncePerEdgeWithHowOften) {
  HistoryBuilder h(setup_of(plain()));
  h.at(0ms).phase(Phase::main);
  for (uint64_t i = 1; i <= 3; ++i) {
    h.add(faults::LimitReached{{to_orders}, {i}, h.now(), faults::Peer::downstream, "max_header_bytes"});
  }
  h.add(faults::ProtocolViolation{{to_orders}, {4}, h.now(), faults::Peer::upstream, "DATA on stream 0"});
  const auto notes = judge(plain(), h).notes;
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0],
            "edge storefront->orders: the relay's own limit `max_header_bytes` was reached by the caller; "
            "its connection was ended for it (3 times)");
  EXPECT_EQ(notes[1], "edge storefront->orders: HTTP/2 violated by the callee: DATA on stream 0");
}

// When a run need not go on.

/// A run whose load is over at 500 ms.
HistoryBuilder loads_over(const Scenario& scenario) {
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::main).at(10ms).issue(1).at(20ms).done(1).at(500ms).phase(Phase::settling);
  return h;
}

TEST(SettledTest, WithNothingOpenARunIsSettledAtOnce) {
  EXPECT_TRUE(settled(plain(), loads_over(plain()), t0 + 500ms, t0 + 500ms));
}

TEST(SettledTest, AnOpenStreamIsWaitedForButNoLongerThanASecond) {
  auto h = loads_over(plain());
  h.at(400ms).accept(to_orders, 1).start(to_orders, 1, 1);
  EXPECT_FALSE(settled(plain(), h, t0 + 500ms, t0 + 500ms));
  EXPECT_FALSE(settled(plain(), h, t0 + 500ms, t0 + 1499ms));
  EXPECT_TRUE(settled(plain(), h, t0 + 500ms, t0 + 1500ms));
  h.at(600ms).end(to_orders, 1, 1);
  EXPECT_TRUE(settled(plain(), h, t0 + 500ms, t0 + 600ms));
}

TEST(SettledTest, ACheckGetsTheTimeItNeeds) {
  Scenario scenario = plain();
  scenario.expect = {expectation("health", failing(), 2s)};
  const auto h = loads_over(scenario);
  EXPECT_FALSE(settled(scenario, h, t0 + 500ms, t0 + 1999ms));
  EXPECT_TRUE(settled(scenario, h, t0 + 500ms, t0 + 2s)) << "red or not, its time is over";
}

TEST(SettledTest, APassThatCannotTurnRedIsNotWaitedFor) {
  Scenario scenario = plain();
  scenario.expect = {expectation("recovers", passing(), 2s, true)};
  EXPECT_TRUE(settled(scenario, loads_over(scenario), t0 + 500ms, t0 + 600ms));
  scenario.expect = {expectation("recovers", failing(), 2s, true)};
  EXPECT_FALSE(settled(scenario, loads_over(scenario), t0 + 500ms, t0 + 600ms)) << "it may still pass";
  scenario.expect = {expectation("throughout", passing(), 2s, false)};
  EXPECT_FALSE(settled(scenario, loads_over(scenario), t0 + 500ms, t0 + 600ms)) << "it may still fail";
}

TEST(SettledTest, ACheckWhoseFaultNeverFiredIsNotWaitedFor) {
  Scenario scenario = plain();
  scenario.timeline = {entry("kill", "kill", "orders", scenario::WhenExit{.service = {"inventory"}})};
  scenario.expect = {expectation("health", failing(), 2s)};
  scenario.expect[0].spec.window = {.relation = history::Relation::after, .fault = {"kill"}, .mark = {}};
  EXPECT_TRUE(settled(scenario, loads_over(scenario), t0 + 500ms, t0 + 500ms));
}

TEST(SettledTest, TheTimeACheckNeedsCountsFromItsWindow) {
  Scenario scenario = plain();
  scenario.timeline = {entry("kill", "kill", "orders", Duration(400ms))};
  scenario.expect = {expectation("health", failing(), 2s)};
  scenario.expect[0].spec.window = {.relation = history::Relation::after, .fault = {"kill"}, .mark = {}};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms)
      .phase(Phase::main)
      .at(400ms)
      .arm("kill")
      .hit("kill")
      .clear("kill")
      .at(500ms)
      .phase(Phase::settling);
  EXPECT_FALSE(settled(scenario, h, t0 + 500ms, t0 + 2399ms));
  EXPECT_TRUE(settled(scenario, h, t0 + 500ms, t0 + 2400ms));
}

}  // namespace
}  // namespace breakwire::run
