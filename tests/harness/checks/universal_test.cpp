// The checks that every scenario gets: red when something is wrong, skipped when there is nothing to judge.
#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using history::LoadBegan;
using history::LoadEnded;

const char* const exits = R"({"check": "no_unexpected_exit"})";
const char* const deadlines = R"({"check": "deadlines_end"})";
const char* const streams = R"({"check": "no_open_streams"})";

HistoryBuilder running() {
  HistoryBuilder builder;
  return builder.at(-1s).process("orders", 10).at(0s).phase(Phase::baseline);
}

TEST(NoUnexpectedExitTest, WhatAFaultOrTeardownEndedWasExpected) {
  EXPECT_PASSED(
      judged(exits, running().at(1s).signal("orders", 10, SIGKILL, "f").exit("orders", 10, {}, SIGKILL)));
  EXPECT_PASSED(judged(exits, running().at(1s).phase(Phase::teardown).exit("orders", 10, {}, SIGTERM)));
  EXPECT_PASSED(
      judged(exits, running().at(1s).signal("orders", 10, SIGABRT, "f").exit("orders", 10, {}, SIGABRT)));
}

TEST(NoUnexpectedExitTest, WhatDiesByItselfIsShown) {
  const auto result = judged(exits, running().at(1s).exit("orders", 10, 0).at(2s).process("orders", 11));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "orders (pid 10) exited with code 0 at 1.000 s");
  EXPECT_EQ(result.samples, 2u);
  EXPECT_EQ(numbers(result), Evidence{3});
}

TEST(NoUnexpectedExitTest, ACrashIsUnexpectedAlsoWhileDraining) {
  const auto drain =
      judged(exits, running().at(1s).signal("orders", 10, SIGTERM, "f").exit("orders", 10, {}, SIGSEGV));
  EXPECT_EQ(drain.verdict, Verdict::failed);
  const auto stop = judged(exits, running().at(1s).phase(Phase::teardown).exit("orders", 10, {}, SIGABRT));
  EXPECT_EQ(stop.actual, "orders (pid 10) was ended by SIGABRT at 1.000 s, while being stopped");
}

const char* const commands = R"({"check": "no_failed_command"})";

HistoryBuilder with_command() {
  auto setup = HistoryBuilder::shop();
  setup.loads.push_back({.id = {"mine"}, .via = {"client->storefront"}});
  HistoryBuilder builder(std::move(setup));
  return builder.at(0s).phase(Phase::baseline).add(LoadBegan{{"mine"}});
}

TEST(NoFailedCommandTest, OneThatEndsWithZeroOrIsEndedByUsIsFine) {
  using history::CommandEnded;
  EXPECT_PASSED(judged(commands, with_command().at(1s).add(CommandEnded{.name = "mine", .code = 0})));
  EXPECT_PASSED(judged(
      commands, with_command().at(1s).add(CommandEnded{.name = "mine", .code = 143, .timed_out = true})));
  EXPECT_PASSED(judged(commands, with_command().at(1s).add(
                                     CommandEnded{.name = "mine", .signal = SIGKILL, .timed_out = true})));
}

TEST(NoFailedCommandTest, OneThatFailsByItselfIsShownWithItsLastWords) {
  const auto code = judged(commands, with_command().at(1500ms).add(history::CommandEnded{
                                         .name = "mine", .code = 3, .last_output = {"hm", "no such order"}}));
  EXPECT_EQ(code.verdict, Verdict::failed);
  EXPECT_EQ(code.actual, "mine exited with code 3 at 1.500 s, its last line: \"no such order\"");
  EXPECT_EQ(numbers(code), Evidence{3});
  const auto signal =
      judged(commands, with_command().at(2s).add(history::CommandEnded{.name = "mine", .signal = SIGSEGV}));
  EXPECT_EQ(signal.verdict, Verdict::failed);
  EXPECT_EQ(signal.actual, "mine was ended by SIGSEGV at 2.000 s, having printed nothing");
}

TEST(NoFailedCommandTest, WithoutAnEndItIsUndecidedAndWithoutACommandSkipped) {
  const auto running_on = judged(commands, with_command().at(1s).phase(Phase::teardown));
  EXPECT_EQ(running_on.verdict, Verdict::inconclusive);
  EXPECT_EQ(running_on.reason, "the run ended before `mine` did");
  // A check's own command is not a load's.
  HistoryBuilder other;
  other.phase(Phase::baseline).add(history::CommandEnded{.name = "audit", .code = 1});
  EXPECT_EQ(judged(commands, other).verdict, Verdict::skipped);
}

TEST(DeadlinesEndTest, EveryCallEndsByItsDeadline) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).at(1s).issue(1, 500ms).at(1700ms).done(1).issue(2, std::nullopt);
  EXPECT_PASSED(judged(deadlines, builder));
  builder.issue(3, 500ms).at(5s).phase(Phase::teardown);
  const auto result = judged(deadlines, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "2 calls with a deadline, 1 too late, worst shoppers-3 (never ended) by 2.8 s");
  EXPECT_EQ(numbers(result), Evidence{5});
}

TEST(DeadlinesEndTest, WithoutDeadlinesItIsSkipped) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).issue(1, std::nullopt).at(1s).done(1);
  EXPECT_EQ(judged(deadlines, builder).verdict, Verdict::skipped);
}

const char* const edge = "orders->inventory";
HistoryBuilder one_stream(const std::function<void(HistoryBuilder&)>& during, Duration end = 4s) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).add(LoadBegan{{"shoppers"}}).at(1s).start(edge, 1, 1, {.timeout = 500ms});
  during(builder);
  return builder.at(2s).add(LoadEnded{{"shoppers"}}).at(end).phase(Phase::teardown);
}

TEST(NoOpenStreamsTest, WhatHasEndedIsNotOpen) {
  EXPECT_PASSED(judged(streams, one_stream([](auto& b) { b.at(1500ms).end(edge, 1, 1); })));
  EXPECT_PASSED(judged(streams, one_stream([](auto& b) { b.at(2900ms).end(edge, 1, 1); })));
}

TEST(NoOpenStreamsTest, WhatIsOpenASecondLaterIsShown) {
  const auto result = judged(streams, one_stream([](auto&) {}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual,
            "1 stream, 1 left open, first orders->inventory shop.v1.OrdersService/Place, orders->inventory "
            "connection 1 stream 1, begun at 1.000 s");
  EXPECT_EQ(numbers(result), Evidence{3});
  EXPECT_EQ(judged(streams, one_stream([](auto& b) { b.at(3100ms).end(edge, 1, 1); })).verdict,
            Verdict::failed);
}

TEST(NoOpenStreamsTest, ALoadWhoseCallsNeverEndIsOverWhenTheRunSettles) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).add(LoadBegan{{"shoppers"}}).at(1s).start(edge, 1, 1);
  builder.at(2s).phase(Phase::settling).at(3s).phase(Phase::teardown);
  builder.at(3010ms).end(edge, 1, 1).add(LoadEnded{{"shoppers"}});
  EXPECT_EQ(judged(streams, builder).verdict, Verdict::failed);
}

TEST(NoOpenStreamsTest, EndedByTeardownBeforeItsTimeIsUndecided) {
  const auto result = judged(streams, one_stream([](auto&) {}, 2500ms).at(2600ms).end(edge, 1, 1));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "1 stream still open when the run ended, less than 1s after the load");
}

TEST(NoOpenStreamsTest, OnlyATransportFaultInForceHidesTheEnd) {
  const auto with_fault = [&](bool call) {
    HistoryBuilder builder;
    builder.fault({.id = {"f"}, .kind = "stall", .on = edge, .call = call});
    builder.phase(Phase::baseline).add(LoadBegan{{"shoppers"}}).at(1s).start(edge, 1, 1);
    builder.arm("f").hit("f", edge, 1, call ? 1 : 0).at(2s).add(LoadEnded{{"shoppers"}}).at(4s).clear("f");
    return builder;
  };
  EXPECT_EQ(judged(streams, with_fault(true)).verdict, Verdict::failed) << "its caller could have reset it";
  const auto hidden = judged(streams, with_fault(false));
  EXPECT_PASSED(hidden);
  EXPECT_EQ(hidden.actual, "1 stream, none left open; 1 behind a fault that hides their end");
}

TEST(NoOpenStreamsTest, ALoadThatIsNotOverLeavesItUndecidedAndNoneSkipsIt) {
  HistoryBuilder builder;
  builder.phase(Phase::baseline).add(LoadBegan{{"shoppers"}}).start(edge, 1, 1);
  EXPECT_EQ(judged(streams, builder).reason, "the load was not over");
  auto setup = HistoryBuilder::shop();
  setup.loads.clear();
  HistoryBuilder idle(setup);
  EXPECT_EQ(judged(streams, idle.phase(Phase::baseline)).verdict, Verdict::skipped);
}

}  // namespace
}  // namespace breakwire::checks
