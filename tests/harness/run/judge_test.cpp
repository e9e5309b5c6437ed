// From a finished history to one verdict and its sentence.
#include "harness/run/judge.h"

#include <gtest/gtest.h>

#include "tests/harness/history_builder.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

using checks::Verdict;
using history::HistoryBuilder;
using history::Phase;
using scenario::Scenario;

/// A run in which the baseline is green and everything fires: two calls before, one while it was slow.
HistoryBuilder good_run(const Scenario& scenario) {
  HistoryBuilder h(setup_of(scenario));
  h.at(-300ms).phase(Phase::setup);
  h.at(0ms).phase(Phase::baseline);
  h.at(10ms).issue(1).at(20ms).done(1);
  h.at(30ms).issue(2).at(60ms).done(2);
  h.at(100ms).phase(Phase::main);
  h.at(200ms).arm("slow");
  h.at(210ms).issue(3).at(250ms).hit("slow", to_orders, 1).at(300ms).done(3);
  h.at(400ms).clear("slow", 1);
  h.at(450ms).phase(Phase::settling);
  h.at(460ms).phase(Phase::teardown);
  h.at(470ms).phase(Phase::ended);
  return h;
}

TEST(JudgeTest, AGreenRunHasPassedAndSaysNothing) {
  const Scenario scenario = slow_shop();
  const ScenarioResult result = judge(scenario, good_run(scenario));
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_EQ(result.reason, "");
  EXPECT_EQ(result.id, "shop");
  EXPECT_EQ(result.seed, 7u);
  EXPECT_EQ(result.baseline, "green (2 calls)");
  EXPECT_FALSE(result.twin);
  EXPECT_EQ(result.events, 15u);
}

TEST(JudgeTest, ARedCheckFailsTheScenarioAndIsQuoted) {
  Scenario scenario = slow_shop();
  scenario.expect.push_back(expectation("health", failing()));
  scenario.expect.push_back(expectation("later", failing()));
  const ScenarioResult result = judge(scenario, good_run(scenario));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.reason, "check `health`: expected every call ends with OK; found 2 UNAVAILABLE");
  ASSERT_EQ(result.checks.size(), 3u);
  EXPECT_EQ(result.checks[1].name, "health");
  EXPECT_EQ(result.checks[1].result.verdict, Verdict::failed);
  EXPECT_EQ(result.checks[1].result.evidence, failing().evidence);
  EXPECT_EQ(result.checks[1].window, "the whole run (0.000s – 0.460s)");
}

TEST(JudgeTest, AnInconclusiveCheckMakesTheScenarioInconclusive) {
  Scenario scenario = slow_shop();
  scenario.expect.push_back(expectation("health", undecided()));
  const ScenarioResult result = judge(scenario, good_run(scenario));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "check `health`: nothing to judge");
}

TEST(JudgeTest, AFailureSaysMoreThanWhatIsInconclusive) {
  Scenario scenario = slow_shop();
  scenario.expect = {expectation("a", undecided()), expectation("b", failing()),
                     expectation("c", undecided())};
  const ScenarioResult result = judge(scenario, good_run(scenario));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_TRUE(result.reason.starts_with("check `b`")) << result.reason;
}

TEST(JudgeTest, AScenarioInWhichNothingWasJudgedHasNotPassed) {
  Scenario scenario = slow_shop();
  scenario.expect.clear();
  const ScenarioResult empty = judge(scenario, good_run(scenario));
  EXPECT_EQ(empty.verdict, Verdict::inconclusive);
  EXPECT_EQ(empty.reason, "no check came to a verdict");

  auto skipped = passing();
  skipped.verdict = Verdict::skipped;
  scenario.expect = {expectation("outcomes", skipped)};
  EXPECT_EQ(judge(scenario, good_run(scenario)).verdict, Verdict::inconclusive);
  scenario.expect.push_back(expectation("health", passing()));
  EXPECT_EQ(judge(scenario, good_run(scenario)).verdict, Verdict::passed)
      << "one skipped beside others is none";
}

// Faults that did not do what they were there for.

TEST(JudgeTest, AFaultWhoseTimeNeverCameIsInconclusive) {
  const Scenario scenario = slow_shop();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1);
  h.at(100ms).phase(Phase::main).at(150ms).phase(Phase::teardown);
  const ScenarioResult result = judge(scenario, h);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "fault `slow` never fired: the run ended before its time");
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_FALSE(result.faults[0].fired);
  EXPECT_FALSE(result.faults[0].armed);
  EXPECT_EQ(result.faults[0].cleanup, "not needed");
}

TEST(JudgeTest, AFaultWhoseEventNeverHappenedIsInconclusive) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("kill", "kill", "orders", scenario::WhenExit{.service = {"inventory"}})};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  const ScenarioResult result = judge(scenario, h);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "fault `kill` never fired: what its `when` waits for never happened");
}

TEST(JudgeTest, AServiceThatDoesNotComeBackIsNotHealed) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("bounce", "restart", "orders", Duration(200ms), 100ms)};
  const auto run = [&](const history::Payload& outcome) {
    HistoryBuilder h(setup_of(scenario));
    h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
    h.at(200ms).arm("bounce").hit("bounce").at(300ms).clear("bounce");
    h.at(350ms).add(history::ServiceReady{{"inventory"}}).at(400ms).add(outcome);
    h.at(500ms).phase(Phase::teardown);
    return judge(scenario, h);
  };
  const ScenarioResult back = run(history::ServiceReady{{"orders"}});
  EXPECT_EQ(back.verdict, Verdict::passed) << back.reason;
  EXPECT_EQ(back.faults[0].cleanup, "healed");

  const ScenarioResult gone = run(history::RestartFailed{{"orders"}, "port 1 is in use"});
  EXPECT_EQ(gone.verdict, Verdict::inconclusive);
  EXPECT_EQ(gone.reason, "service orders did not come back from fault `bounce`: port 1 is in use");
  EXPECT_EQ(gone.notes, std::vector<std::string>{gone.reason});
  EXPECT_TRUE(gone.faults[0].fired);
  EXPECT_EQ(gone.faults[0].cleanup, "did not come back: port 1 is in use");

  EXPECT_EQ(run(history::ServiceReady{{"storefront"}}).faults[0].cleanup,
            "not known: the run ended before it was ready again");
  scenario.expect.push_back(expectation("health", failing()));
  EXPECT_EQ(run(history::RestartFailed{{"orders"}, "port 1 is in use"}).verdict, Verdict::failed);
}

TEST(JudgeTest, AFaultThatHitTooSeldomIsInconclusive) {
  Scenario scenario = slow_shop();
  scenario.timeline[0].must_fire = 3;
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("slow").at(250ms).hit("slow", to_orders, 1);
  h.at(400ms).add(history::FaultCleared{.fault = {"slow"}, .tally = {.eligible = 5, .hits = 1}});
  const ScenarioResult result = judge(scenario, h);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "fault `slow` hit 1 time, must_fire asks for 3 (5 eligible)");
  EXPECT_EQ(result.faults[0].hits, 1u);
  EXPECT_EQ(result.faults[0].eligible, 5u);
}

TEST(JudgeTest, AProcessFaultThatFoundTooFewCallsInFlightIsInconclusive) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("term", "signal", "orders", Duration(200ms))};
  scenario.timeline[0].must_find_in_flight = 5;
  const auto run = [&](uint64_t in_flight) {
    HistoryBuilder h(setup_of(scenario));
    h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
    h.at(200ms).add(history::FaultArmed{.fault = {"term"}, .in_flight = in_flight}).hit("term").clear("term");
    return judge(scenario, h);
  };
  const ScenarioResult result = run(1);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "fault `term` found 1 call in flight, must_fire asks for 5");
  EXPECT_EQ(result.faults[0].in_flight, 1u);
  EXPECT_EQ(run(5).verdict, Verdict::passed);
}

TEST(JudgeTest, WhatAFaultHadToDoInPlaceOfTheRealThingIsSaidAndMayBeToLittle) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("cable", "blackhole", to_orders, Duration(200ms), 200ms)};
  const auto run = [&](const char* action) {
    HistoryBuilder h(setup_of(scenario));
    h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
    h.at(200ms).arm("cable").hit("cable", to_orders, 0, 0, "isolate").hit("cable", to_orders, 1, 0, action);
    h.at(400ms).clear("cable", 2);
    return judge(scenario, h);
  };
  const ScenarioResult real = run("isolate");
  EXPECT_EQ(real.faults[0].fidelity, "wire");
  EXPECT_TRUE(real.notes.empty());
  const ScenarioResult held = run("hold");
  EXPECT_TRUE(held.faults[0].fidelity.starts_with("held: ")) << held.faults[0].fidelity;
  EXPECT_EQ(held.verdict, Verdict::passed);
  EXPECT_EQ(held.notes,
            std::vector<std::string>{"fault cable was not the real thing: " + held.faults[0].fidelity});

  scenario.timeline[0].must_be_real = true;
  EXPECT_EQ(run("isolate").verdict, Verdict::passed);
  const ScenarioResult too_little = run("hold");
  EXPECT_EQ(too_little.verdict, Verdict::inconclusive);
  EXPECT_EQ(too_little.reason, "fault `cable` was not the real thing: " + held.faults[0].fidelity);
}

TEST(JudgeTest, AFaultThatHitNothingDoesNotSayHowRealItWas) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("cable", "blackhole", to_orders, Duration(200ms), 200ms)};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("cable").at(400ms).clear("cable", 0);
  EXPECT_EQ(judge(scenario, h).faults[0].fidelity, "not known: it hit nothing");
}

TEST(JudgeTest, AFaultThatFailedIsInconclusiveWhateverItHit) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("lock", "command", "orders", Duration(200ms), 200ms)};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("lock").hit("lock", "", 0, 0, "run_command");
  h.at(210ms).add(history::FaultFailed{.fault = {"lock"}, .why = "its command ended by itself: exit code 2"});
  h.at(400ms).clear("lock");
  const ScenarioResult result = judge(scenario, h);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "fault `lock` could not act: its command ended by itself: exit code 2");
  EXPECT_FALSE(result.faults[0].fired);
}

TEST(JudgeTest, ACallFaultOnAnEdgeThatIsNotHttp2SaysSo) {
  Scenario scenario = slow_shop();
  scenario.timeline = {entry("busy", "grpc_status", to_orders, Duration(200ms), 200ms)};
  const auto run = [&](faults::Protocol protocol) {
    HistoryBuilder h(setup_of(scenario));
    h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
    h.add(faults::ProtocolDetected{{to_orders}, {1}, h.now(), protocol});
    h.at(200ms).arm("busy").at(400ms).clear("busy", 0);
    return judge(scenario, h);
  };
  EXPECT_EQ(
      run(faults::Protocol::tls).reason,
      "fault `busy` could not act: edge `storefront->orders` carried TLS, where a call fault cannot act");
  EXPECT_EQ(run(faults::Protocol::tcp).reason,
            "fault `busy` could not act: edge `storefront->orders` carried not HTTP/2, where a call fault "
            "cannot act");
  EXPECT_EQ(run(faults::Protocol::tls).verdict, Verdict::inconclusive);
  EXPECT_EQ(run(faults::Protocol::http2).reason,
            "fault `busy` hit 0 times, must_fire asks for 1 (0 eligible: no call was seen on "
            "`storefront->orders` while it was in force)");
}

TEST(JudgeTest, AFaultsTimesAndSamplesAreInTheResult) {
  Scenario scenario = slow_shop();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("slow").at(250ms);
  const uint64_t before = h.number().value;
  for (int i = 0; i < 12; ++i) h.hit("slow", to_orders, 1);
  h.at(300ms).hit("slow", to_orders, 2).at(400ms).clear("slow", 13);
  const ScenarioResult judged = judge(scenario, h);
  const FaultResult& fault = judged.faults.at(0);
  EXPECT_EQ(fault.armed, Duration(200ms));
  EXPECT_EQ(fault.first_hit, Duration(250ms));
  EXPECT_EQ(fault.last_hit, Duration(300ms));
  EXPECT_EQ(fault.cleared, Duration(400ms));
  EXPECT_EQ(fault.hits, 13u);
  ASSERT_EQ(fault.samples.size(), 10u);
  EXPECT_EQ(fault.samples.front().value, before + 1);
  EXPECT_TRUE(fault.fired);
  EXPECT_EQ(fault.cleanup, "healed");
  EXPECT_EQ(fault.kind, "latency");
  EXPECT_FALSE(fault.in_flight) << "of process faults only";
}

TEST(JudgeTest, AFaultThatWasNeverClearedSaysSo) {
  const Scenario scenario = slow_shop();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1).at(100ms).phase(Phase::main);
  h.at(200ms).arm("slow").at(250ms).hit("slow", to_orders, 1);
  EXPECT_EQ(judge(scenario, h).faults.at(0).cleanup, "not healed: the run ended before");
}

// The baseline.

TEST(JudgeTest, ABaselineWithAFailedCallIsNotGreen) {
  const Scenario scenario = slow_shop();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline);
  h.at(10ms).issue(1).at(20ms).done(1);
  h.at(30ms).issue(2).at(40ms).done(2, StatusCode::unavailable, "connection refused");
  h.at(100ms).phase(Phase::teardown);
  const ScenarioResult result = judge(scenario, h);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.baseline,
            "not green: 1 of 2 calls failed (shoppers-2 ended with UNAVAILABLE: connection refused)");
  EXPECT_EQ(result.reason, "the baseline was " + result.baseline);
}

TEST(JudgeTest, ARedBaselineIsNobodysFailureWhateverTheChecksSay) {
  Scenario scenario = slow_shop();
  scenario.expect = {expectation("outcomes", failing())};
  scenario.baseline_min_samples = 3;
  const ScenarioResult result = judge(scenario, good_run(scenario));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "the baseline was " + result.baseline);
  EXPECT_EQ(result.checks.at(0).result.verdict, Verdict::failed) << "it is told all the same";
}

TEST(JudgeTest, ABaselineWithTooFewCallsIsNotGreen) {
  Scenario scenario = slow_shop();
  scenario.baseline_min_samples = 3;
  const ScenarioResult result = judge(scenario, good_run(scenario));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.baseline, "not green: only 2 calls of it ended before the first fault, 3 needed");
}

TEST(JudgeTest, WhatTheLoadCallsGreenIsGreen) {
  Scenario scenario = slow_shop();
  scenario.loads[0].baseline_status = {StatusCode::failed_precondition};
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline).at(10ms).issue(1).at(20ms).done(1, StatusCode::failed_precondition);
  h.at(100ms).phase(Phase::main);
  EXPECT_EQ(judge_baseline(scenario, h).text, "green (1 call)");
  h.at(30ms).issue(2).at(40ms).done(2, StatusCode::ok);
  EXPECT_FALSE(judge_baseline(scenario, h).green) << "OK is not what was asked for";
}

TEST(JudgeTest, ACallOfTheBaselineIsJudgedByItsEndBeforeTheFirstFault) {
  const Scenario scenario = slow_shop();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline);
  h.at(10ms).issue(1).at(20ms).done(1);
  h.at(90ms).issue(2).at(100ms).phase(Phase::main);
  EXPECT_EQ(judge_baseline(scenario, h).text, "green (1 call, 1 still open)") << "it may still end well";
  HistoryBuilder before = h, after = h;
  before.at(150ms).done(2, StatusCode::unavailable).at(200ms).arm("slow");
  EXPECT_FALSE(judge_baseline(scenario, before).green) << "no fault can have met it";
  after.at(200ms).arm("slow").at(300ms).done(2, StatusCode::unavailable);
  EXPECT_TRUE(judge_baseline(scenario, after).green) << "half of them is not most";
  EXPECT_EQ(judge_baseline(scenario, after).text, "green (1 call, 1 still open)");
  HistoryBuilder later = h;
  later.at(110ms).issue(3).at(120ms).done(3, StatusCode::unavailable).at(200ms).arm("slow");
  EXPECT_TRUE(judge_baseline(scenario, later).green) << "issued after it";
}

TEST(JudgeTest, ABaselineMostOfWhoseCallsHangIsNotGreen) {
  const Scenario scenario = slow_shop();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::baseline);
  h.at(10ms).issue(1).at(20ms).done(1).at(30ms).issue(2, 60ms).issue(3, 60ms);
  h.at(80ms).phase(Phase::main);
  EXPECT_TRUE(judge_baseline(scenario, h).green) << "they have their time";
  HistoryBuilder overdue = h;
  overdue.at(100ms).phase(Phase::settling);
  EXPECT_EQ(judge_baseline(scenario, overdue).text, "not green: of 3 calls 2 still open");
  h.at(85ms).arm("slow").at(86ms).done(2).done(3);
  EXPECT_EQ(judge_baseline(scenario, h).text, "not green: of 3 calls 2 still open");
}

TEST(JudgeTest, AWaivedBaselineIsVisible) {
  Scenario scenario = slow_shop();
  scenario.baseline.reset();
  scenario.baseline_waiver = "the service starts broken";
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::main).at(10ms).issue(1).at(20ms).done(1, StatusCode::internal);
  h.at(200ms).arm("slow").hit("slow", to_orders, 1).at(400ms).clear("slow");
  const ScenarioResult result = judge(scenario, h);
  EXPECT_EQ(result.verdict, Verdict::passed);
  EXPECT_EQ(result.baseline, "waived: the service starts broken");
}

TEST(JudgeTest, AScenarioWithoutFaultsHasNoBaseline) {
  Scenario scenario = slow_shop();
  scenario.timeline.clear();
  HistoryBuilder h(setup_of(scenario));
  h.at(0ms).phase(Phase::main).at(10ms).issue(1).at(20ms).done(1);
  EXPECT_EQ(judge(scenario, h).baseline, "none: no faults, all of it is judged");
}

TEST(JudgeTest, WaivedUniversalChecksAreListedWithTheirReason) {
  Scenario scenario = slow_shop();
  scenario.waived = {{"unexpected_exit", "gRPC 1.51.1 aborts there"}};
  const auto waived = judge(scenario, good_run(scenario)).waived;
  ASSERT_EQ(waived.size(), 1u);
  EXPECT_EQ(waived[0], std::pair(std::string("unexpected_exit"), std::string("gRPC 1.51.1 aborts there")));
}

}  // namespace
}  // namespace breakwire::run
