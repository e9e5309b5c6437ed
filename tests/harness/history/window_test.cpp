// Where a check looks, and when there is nowhere to look.
#include "harness/history/window.h"

#include <gtest/gtest.h>

#include "tests/harness/history_builder.h"

namespace breakwire::history {
namespace {

HistoryBuilder a_run() {
  HistoryBuilder builder;
  builder.fault({.id = {"slow"}, .kind = "latency", .on = "orders->inventory"});
  builder.fault({.id = {"term"}, .kind = "signal", .on = "orders", .process = true, .instant = true});
  builder.fault({.id = {"idle"}, .kind = "latency", .on = "orders->inventory"});
  builder.at(-2s).phase(Phase::setup).at(0s).phase(Phase::baseline);
  builder.at(1s).arm("slow").arm("idle").at(1500ms).hit("slow").at(2s).hit("slow");
  builder.at(3s).clear("slow", 2).clear("idle", 0).at(4s).arm("term").hit("term").at(6s).phase(
      Phase::teardown);
  return builder.at(7s).process("orders", 2);
}

std::string shown(WindowSpec spec, const History& history) {
  const auto found = resolve(spec, history);
  if (const auto* none = std::get_if<NoWindow>(&found)) return none->why;
  return std::get<Window>(found).text;
}

TEST(WindowTest, TheWholeRunIsFromLoadToTeardown) {
  EXPECT_EQ(shown({}, a_run()), "the whole run (0.000s – 6.000s)");
}

TEST(WindowTest, BeforeDuringAndAfterAFault) {
  const HistoryBuilder run = a_run();
  EXPECT_EQ(shown({Relation::before, {"slow"}, ""}, run), "before slow (0.000s – 1.000s)");
  EXPECT_EQ(shown({Relation::during, {"slow"}, ""}, run), "during slow (1.000s – 3.000s)");
  EXPECT_EQ(shown({Relation::after, {"slow"}, ""}, run), "after slow (3.000s – 6.000s)");
  EXPECT_EQ(shown({Relation::after, {"slow"}, "start"}, run), "after slow.start (1.000s – 6.000s)");
  EXPECT_EQ(shown({Relation::after, {"slow"}, "first_hit"}, run), "after slow.first_hit (1.500s – 6.000s)");
}

TEST(WindowTest, AfterAnInstantaneousFaultIsFromItsStart) {
  EXPECT_EQ(shown({Relation::after, {"term"}, ""}, a_run()), "after term (4.000s – 6.000s)");
}

TEST(WindowTest, AFaultThatNeverFiredLeavesNoWindow) {
  EXPECT_EQ(shown({Relation::during, {"idle"}, ""}, a_run()), "fault `idle` never fired");
  EXPECT_EQ(shown({Relation::during, {"nosuch"}, ""}, a_run()), "fault `nosuch` was never armed");
  EXPECT_EQ(shown({}, History{}), "nothing was recorded");
}

TEST(WindowTest, InARunThatGoesOnAnOpenEndHoldsTheLastEvent) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).arm("slow").hit("slow").at(2s).issue(1);
  const auto during = resolve({Relation::during, {"slow"}, ""}, builder);
  ASSERT_TRUE(std::holds_alternative<Window>(during));
  EXPECT_TRUE(std::get<Window>(during).contains(t0 + 2s));
  EXPECT_EQ(shown({Relation::after, {"slow"}, ""}, builder), "fault `slow` was in force to the end");
}

TEST(WindowTest, ASpanCountsHitsFromTheRelaysTallyOrFromEvents) {
  const HistoryBuilder run = a_run();
  const FaultSpan slow = span_of({"slow"}, run);
  EXPECT_EQ(slow.armed, t0 + 1s);
  EXPECT_EQ(slow.first_hit, t0 + 1500ms);
  EXPECT_EQ(slow.last_hit, t0 + 2s);
  EXPECT_EQ(slow.cleared, t0 + 3s);
  EXPECT_EQ(slow.tally.hits, 2u);
  EXPECT_EQ(run.history().event(slow.first_hit_event).at, t0 + 1500ms);
  EXPECT_EQ(span_of({"term"}, run).tally.hits, 1u);
  EXPECT_EQ(span_of({"term"}, run).cleared, std::nullopt);
}

TEST(WindowTest, TheLastHitIsTheRelaysWhereNotEveryOneIsAnEvent) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline)
      .at(1s)
      .arm("slow")
      .hit("slow")
      .at(3s)
      .add(FaultCleared{.fault = {"slow"}, .tally = {.eligible = 1, .hits = 1}, .last_hit = t0 + 2500ms});
  EXPECT_EQ(span_of({"slow"}, builder).last_hit, t0 + 2500ms);
}

TEST(HistoryTest, ZeroIsTheFirstPhaseAfterSetup) {
  HistoryBuilder builder;
  builder.at(-3s).phase(Phase::setup);
  EXPECT_EQ(builder.history().zero(), t0 - 3s) << "before load begins, the first event";
  builder.at(0s).phase(Phase::baseline);
  EXPECT_EQ(builder.history().zero(), t0);
  EXPECT_EQ(builder.history().events().back().number, EventNumber{2});
}

}  // namespace
}  // namespace breakwire::history
