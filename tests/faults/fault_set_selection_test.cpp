// Which calls a fault picks: method, metadata, attempts, calls, message, stage.
#include <gtest/gtest.h>

#include "tests/faults/fakes.h"

namespace breakwire::faults {
namespace {

using namespace faults::testing;

constexpr Instant start{};

/// Arms one fault that ends every call it is asked about, and answers which of the calls it ended.
std::vector<size_t> ended(const Match& match, const std::vector<CallFacts>& calls) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(EndCall{}), match), start);
  std::vector<size_t> hit;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (said(ask(set, calls[i])) == "end_call") hit.push_back(i + 1);
  }
  return hit;
}

std::vector<CallFacts> calls(size_t count, CallOptions options = {}) {
  std::vector<CallFacts> all;
  for (size_t i = 0; i < count; ++i) all.push_back(call(static_cast<StreamId>(2 * i + 1), options));
  return all;
}

using Numbers = std::vector<size_t>;

TEST(SelectionTest, PicksTheFirstTheNthAndEveryNthEligibleCall) {
  EXPECT_EQ(ended({.calls = {.first = 2}}, calls(5)), (Numbers{1, 2}));
  EXPECT_EQ(ended({.calls = {.nth = 3}}, calls(5)), (Numbers{3}));
  EXPECT_EQ(ended({.calls = {.every = 2}}, calls(5)), (Numbers{2, 4}));
  EXPECT_EQ(ended({}, calls(3)), (Numbers{1, 2, 3}));
}

TEST(SelectionTest, MatchesMethodsByPattern) {
  const std::vector<CallFacts> mixed{call(1, {.method = "shop.v1.Orders/Place"}),
                                     call(3, {.method = "grpc.health.v1.Health/Check"}),
                                     call(5, {.method = "shop.v1.Orders/Cancel"})};
  EXPECT_EQ(ended({.method = "shop.v1.Orders/*"}, mixed), (Numbers{1, 3}));
  EXPECT_EQ(ended({.method = "*/Check"}, mixed), (Numbers{2}));
}

TEST(SelectionTest, KnowsWithoutAskingWhatCannotConcernIt) {
  const auto concerned = [](Match match, Scope scope, const CallFacts& call) {
    FaultSet set;
    set.arm(fault("f", on<CallReached>(EndCall{}), std::move(match), 0, scope), start);
    return std::pair(set.concern_connections(), set.concern(call));
  };
  const std::pair calls_only(false, true), neither(false, false);
  EXPECT_EQ(concerned({}, Scope::anything, call(1)), std::pair(true, true));
  EXPECT_EQ(concerned({}, Scope::connections, call(1)), std::pair(true, false));
  EXPECT_EQ(concerned({}, Scope::calls, call(1)), calls_only);
  EXPECT_EQ(concerned({}, Scope::new_calls, call(1)), calls_only);
  EXPECT_EQ(concerned({}, Scope::listener, call(1)), neither);
  EXPECT_EQ(concerned({.method = "shop.*"}, Scope::calls, call(1)), calls_only);
  EXPECT_EQ(concerned({.method = "*/Check"}, Scope::calls, call(1)), neither);
  EXPECT_EQ(concerned({.attempts = 1}, Scope::calls, call(1)), calls_only);
  EXPECT_EQ(concerned({.attempts = 1}, Scope::calls, call(1, {.previous_attempts = 1})), neither);
  // Of metadata, which may not be known yet, nothing can be told.
  EXPECT_EQ(concerned({.metadata = {{"tenant", "blue"}}}, Scope::calls, call(1)), calls_only);

  FaultSet both;
  EXPECT_FALSE(both.concern_connections() || both.concern(call(1)));
  both.arm(fault("a", on<CallReached>(EndCall{}), {.method = "*/Check"}, 0, Scope::calls), start);
  both.arm(fault("b", on<CallReached>(EndCall{}), {}, 1, Scope::calls), start);
  EXPECT_TRUE(both.concern(call(1)));
  both.clear({"b"}, start);
  EXPECT_FALSE(both.concern(call(1)));
}

TEST(SelectionTest, CountsOnlyEligibleCalls) {
  const std::vector<CallFacts> mixed{call(1, {.method = "a.B/Other"}), call(3),
                                     call(5, {.method = "a.B/Other"}), call(7)};
  EXPECT_EQ(ended({.method = "shop.*", .calls = {.nth = 2}}, mixed), (Numbers{4}));
}

TEST(SelectionTest, MatchesMetadataByPatternAuthorizationIncluded) {
  const std::vector<CallFacts> mixed{
      call(1, {.metadata = {{"authorization", "Bearer alice"}, {"tenant", "blue"}}}),
      call(3, {.metadata = {{"authorization", "Bearer bob"}, {"tenant", "blue"}}}), call(5),
      call(7, {.metadata = {{"tenant", "red"}, {"tenant", "blue"}, {"authorization", "Bearer alice"}}})};
  EXPECT_EQ(ended({.metadata = {{"authorization", "* alice"}}}, mixed), (Numbers{1, 4}));
  EXPECT_EQ(ended({.metadata = {{"tenant", "blue"}, {"authorization", "*bob"}}}, mixed), (Numbers{2}));
  EXPECT_EQ(ended({.metadata = {{"tenant", "*"}}}, mixed), (Numbers{1, 2, 4}));
}

TEST(SelectionTest, HitsOnlyTheFirstAttemptsOfACall) {
  const std::vector<CallFacts> attempts{call(1), call(3, {.previous_attempts = 1}),
                                        call(5, {.previous_attempts = 2})};
  EXPECT_EQ(ended({.attempts = 1}, attempts), (Numbers{1}));
  EXPECT_EQ(ended({.attempts = 2}, attempts), (Numbers{1, 2}));
}

TEST(SelectionTest, CountsAttemptsPastTheLimitAsIneligible) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(EndCall{}), {.attempts = 1}), start);
  const auto retry = call(1, {.previous_attempts = 1});
  ask(set, retry);
  EXPECT_EQ(set.tally({"f"}), FaultTally{});
}

TEST(SelectionTest, IsMadeOncePerCallAndRememberedUntilTheCallIsForgotten) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(Delay{1ms}), {.calls = {.nth = 1}}), start);
  const auto one = call(1);
  const auto three = call(3);
  EXPECT_EQ(ask(set, one).delay, 1ms);
  EXPECT_EQ(ask(set, three).delay, 0ms);
  EXPECT_EQ(ask(set, one, Stage::request_end).delay, 1ms);
  EXPECT_EQ(ask(set, three, Stage::request_end).delay, 0ms);
  EXPECT_EQ(set.tally({"f"}), (FaultTally{.eligible = 2, .hits = 1}));

  set.forget({1}, 1);
  EXPECT_EQ(ask(set, one).delay, 0ms) << "after being forgotten it is the third call";
  EXPECT_EQ(set.tally({"f"}).eligible, 3u);
}

TEST(SelectionTest, TellsStreamsOfTheSameNumberOnTwoConnectionsApart) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(Delay{1ms}), {.calls = {.nth = 2}}), start);
  const auto here = call(1, {.connection = 1});
  const auto there = call(1, {.connection = 2});
  EXPECT_EQ(ask(set, here).delay, 0ms);
  EXPECT_EQ(ask(set, there).delay, 1ms);
  set.forget(ConnectionId{2});
  EXPECT_EQ(ask(set, here, Stage::request_end).delay, 0ms) << "connection 1 is still remembered";
  EXPECT_EQ(set.tally({"f"}).eligible, 2u);
}

TEST(SelectionTest, AsksOnlyAtTheMatchedStage) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(Hold{}), {.stage = Stage::response_headers}), start);
  const auto facts = call(1);
  EXPECT_EQ(said(ask(set, facts, Stage::headers)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::request_message)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::response_headers)), "hold");
  EXPECT_EQ(said(ask(set, facts, Stage::response_end)), "forward");
}

TEST(SelectionTest, AsksOnlyAboutTheMatchedMessage) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(Hold{}), {.message = 1, .stage = Stage::response_message}), start);
  const auto facts = call(1);
  EXPECT_EQ(said(ask(set, facts, Stage::headers)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::response_message, 0)), "forward");
  EXPECT_EQ(said(ask(set, facts, Stage::response_message, 1)), "hold");
  EXPECT_EQ(said(ask(set, facts, Stage::response_message, 2)), "forward");
}

TEST(SelectionTest, CountsACallUnderWayFromTheStageAtWhichTheFaultActs) {
  FaultSet set;
  set.arm(fault("at-end", on<CallReached>(EndCall{}), {.calls = {.nth = 1}, .stage = Stage::response_end}, 0),
          start);
  set.arm(fault("at-start", on<CallReached>(EndCall{}), {.calls = {.nth = 1}, .stage = Stage::headers}, 1),
          start);
  const auto under_way = call(1);
  EXPECT_EQ(said(ask(set, under_way, Stage::response_headers)), "forward");
  EXPECT_EQ(set.tally({"at-end"}).eligible, 0u);
  EXPECT_EQ(ask(set, under_way, Stage::response_end).by, FaultId{"at-end"});
  const auto begun_now = call(3);
  EXPECT_EQ(ask(set, begun_now).by, FaultId{"at-start"}) << "the call under way was not its first";
}

TEST(SelectionTest, LeavesCallsUnderWayToThemselvesWhenAFaultConcernsNewCalls) {
  FaultSet set;
  set.arm(fault("f", on<CallReached>(EndCall{}), {}, 0, Scope::new_calls), start);
  const auto under_way = call(1);
  EXPECT_EQ(said(ask(set, under_way, Stage::response_end)), "forward");
  EXPECT_EQ(set.tally({"f"}), FaultTally{});
  const auto begun_now = call(3);
  EXPECT_EQ(said(ask(set, begun_now)), "end_call");
}

TEST(SelectionTest, CountsACallForEveryFaultAlsoWhenAnEarlierOneHasEndedIt) {
  FaultSet set;
  set.arm(fault("all", on<CallReached>(EndCall{}), {.calls = {.nth = 1}}, 0), start);
  set.arm(fault("second", on<CallReached>(EndCall{}), {.calls = {.nth = 2}}, 1), start);
  const auto one = call(1);
  const auto two = call(3);
  EXPECT_EQ(ask(set, one).by, FaultId{"all"});
  EXPECT_EQ(ask(set, two).by, FaultId{"second"});
}

/// Thirty calls, each with a trace id of its own.
std::vector<CallFacts> traced_calls() {
  std::vector<CallFacts> all;
  for (int i = 0; i < 30; ++i) {
    std::string trace(32, 'a');
    trace[0] = static_cast<char>('0' + i / 10);
    trace[1] = static_cast<char>('0' + i % 10);
    all.push_back(call(static_cast<StreamId>(2 * i + 1), {.trace_id = trace}));
  }
  return all;
}

std::set<std::string> traces_hit(FaultSet& set, const std::vector<CallFacts>& all, const FaultId& by) {
  std::set<std::string> hit;
  for (const auto& facts : all) {
    if (ask(set, facts).by == by) hit.insert(facts.trace_id);
  }
  return hit;
}

TEST(PercentTest, DependsNeitherOnTheOrderOfArrivalNorOnOtherFaults) {
  const Match half{.calls = {.percent = 50}};
  auto forwards = traced_calls();
  FaultSet alone;
  alone.arm(fault("f", on<CallReached>(EndCall{}), half), start);
  const auto expected = traces_hit(alone, forwards, {"f"});
  EXPECT_GT(expected.size(), 5u);
  EXPECT_LT(expected.size(), 25u);

  std::reverse(forwards.begin(), forwards.end());
  FaultSet crowded;
  crowded.arm(fault("other", on<CallReached>(Delay{1ms}), half, 0), start);
  crowded.arm(fault("f", on<CallReached>(EndCall{}), half, 1), start);
  EXPECT_EQ(traces_hit(crowded, forwards, {"f"}), expected);
}

TEST(PercentTest, DrawsAnewForEveryFaultSeedAndAttempt) {
  const auto hit = [](const std::string& id, uint64_t seed, unsigned attempt) {
    auto all = traced_calls();
    for (auto& facts : all) facts.previous_attempts = attempt;
    FaultSet set;
    auto instance = fault(id, on<CallReached>(EndCall{}), {.calls = {.percent = 50}});
    instance.seed = seed;
    set.arm(std::move(instance), start);
    return traces_hit(set, all, {id});
  };
  EXPECT_EQ(hit("f", 1, 0), hit("f", 1, 0));
  EXPECT_NE(hit("f", 1, 0), hit("g", 1, 0));
  EXPECT_NE(hit("f", 1, 0), hit("f", 2, 0));
  EXPECT_NE(hit("f", 1, 0), hit("f", 1, 1));
}

TEST(PercentTest, HitsTheShareItNames) {
  for (const double share : {0.0, 10.0, 100.0}) {
    FaultSet set;
    set.arm(fault("f", on<CallReached>(EndCall{}), {.calls = {.percent = share}}), start);
    for (StreamId stream = 1; stream <= 20'001; stream += 2) ask(set, call(stream));
    EXPECT_NEAR(static_cast<double>(set.tally({"f"}).hits), share * 100, share == 10.0 ? 100 : 1) << share;
  }
}

}  // namespace
}  // namespace breakwire::faults
