// When faults begin and end: `at`, every `when`, `for`, from literal events.
#include "harness/run/timeline.h"

#include <gtest/gtest.h>

#include "tests/harness/history_builder.h"
#include "tests/harness/run/scenarios.h"

namespace breakwire::run {
namespace {

using history::HistoryBuilder;
using history::t0;
using What = Timeline::Due::What;

/// A timeline fed by a history that is being written; the entries that are due are kept as text.
class Story {
 public:
  explicit Story(std::vector<scenario::TimelineEntry> entries) : scenario_(shop()), timeline_(fill(entries)) {
    timeline_.start(t0);
  }

  Timeline& timeline() { return timeline_; }
  /// Lets `write` append to the history and feeds what is new; true when something became due by it.
  template <class Write>
  bool tell(Write write) {
    const size_t before = history_.history().events().size();
    write(history_);
    bool due = false;
    const auto& events = history_.history().events();
    for (size_t at = before; at < events.size(); ++at) due = timeline_.observe(events[at]) || due;
    return due;
  }
  /// "arm slow, clear slow": everything due by then. What is armed takes effect at that moment.
  std::string due_by(Duration t) {
    std::string text;
    for (const auto& one : timeline_.due(t0 + t)) {
      const std::string& id = scenario_.timeline[one.entry].id.text;
      text += std::string(text.empty() ? "" : ", ") + (one.what == What::arm ? "arm " : "clear ") + id;
      if (one.what == What::arm) timeline_.armed(one.entry, t0 + t);
    }
    return text;
  }
  std::optional<Duration> next() const {
    const auto at = timeline_.next();
    return at ? std::optional<Duration>(*at - t0) : std::nullopt;
  }

 private:
  const scenario::Scenario& fill(std::vector<scenario::TimelineEntry>& entries) {
    scenario_.timeline = std::move(entries);
    return scenario_;
  }
  scenario::Scenario scenario_;
  Timeline timeline_;
  HistoryBuilder history_;
};

scenario::TimelineEntry kill_when(scenario::When when) {
  return entry("kill", "kill", "orders", std::move(when));
}

TEST(TimelineTest, AtCountsFromTheStartOfLoadAndNotBefore) {
  Story story({entry("slow", "latency", to_orders, Duration(1s), 2s)});
  EXPECT_EQ(story.next(), Duration(1s));
  EXPECT_EQ(story.due_by(999ms), "");
  EXPECT_EQ(story.due_by(1s), "arm slow");
  EXPECT_EQ(story.due_by(1s), "") << "told once";
}

TEST(TimelineTest, ALengthCountsFromWhenTheFaultTookEffect) {
  Story story({entry("slow", "latency", to_orders, Duration(1s), 2s)});
  EXPECT_EQ(story.due_by(1200ms), "arm slow");  // late: the machine was busy
  EXPECT_EQ(story.next(), Duration(3200ms));
  EXPECT_EQ(story.due_by(3199ms), "");
  EXPECT_EQ(story.due_by(3200ms), "clear slow");
  EXPECT_TRUE(story.timeline().quiet());
  EXPECT_EQ(story.due_by(10s), "") << "told once";
}

TEST(TimelineTest, WithoutForAFaultStaysToTheEnd) {
  Story story({entry("slow", "latency", to_orders, Duration(1s))});
  EXPECT_EQ(story.due_by(1s), "arm slow");
  EXPECT_TRUE(story.timeline().quiet());
  EXPECT_EQ(story.due_by(1h), "");
}

TEST(TimelineTest, NothingIsDueBeforeTheStart) {
  scenario::Scenario scenario = shop();
  scenario.timeline = {entry("slow", "latency", to_orders, Duration(1s))};
  Timeline timeline(scenario);
  EXPECT_TRUE(timeline.quiet());
  EXPECT_TRUE(timeline.due(t0 + 1h).empty());
}

TEST(TimelineTest, WhatIsDueIsToldEarliestFirstAndInFileOrderAtTheSameMoment) {
  Story story({entry("late", "latency", to_orders, Duration(3s)),
               entry("b", "stall", to_orders, Duration(2s)), entry("a", "latency", to_orders, Duration(2s)),
               entry("early", "latency", to_orders, Duration(1s), 500ms)});
  EXPECT_EQ(story.due_by(1s), "arm early");
  EXPECT_EQ(story.due_by(3s), "clear early, arm b, arm a, arm late");
}

TEST(TimelineTest, InstantFaultsHaveNoLength) {
  scenario::Scenario scenario = shop();
  scenario.timeline = {
      entry("term", "signal", "orders", Duration(1s)), entry("slow", "latency", to_orders, Duration(1s)),
      entry("cut", "reset", to_orders, Duration(1s)), entry("cuts", "reset", to_orders, Duration(1s), 1s),
      entry("again", "restart", "orders", Duration(1s), 1s)};
  const Timeline timeline(scenario);
  EXPECT_TRUE(timeline.is_instant({"term"}));
  EXPECT_FALSE(timeline.is_instant({"slow"}));
  EXPECT_TRUE(timeline.is_instant({"cut"})) << "reset without `for` happens once";
  EXPECT_FALSE(timeline.is_instant({"cuts"}));
  EXPECT_FALSE(timeline.is_instant({"again"}));
  EXPECT_FALSE(timeline.is_instant({"nobody"}));
}

TEST(TimelineTest, InFlightIsDueTheMomentSoManyCallsAreUnderWay) {
  Story story({kill_when(scenario::WhenInFlight{.on = to_orders, .at_least = 2, .method = {}})});
  story.timeline().listen(t0 + 100ms);
  EXPECT_FALSE(story.tell([](auto& h) { h.at(200ms).accept(to_orders, 1).start(to_orders, 1, 1); }));
  EXPECT_TRUE(story.tell([](auto& h) { h.at(210ms).start(to_orders, 1, 3); }));
  EXPECT_EQ(story.due_by(210ms), "arm kill");
  EXPECT_FALSE(story.tell([](auto& h) { h.at(220ms).start(to_orders, 1, 5); })) << "once only";
}

TEST(TimelineTest, InFlightAtAServiceSumsItsInboundEdges) {
  Story story({kill_when(scenario::WhenInFlight{.on = "orders", .at_least = 1, .method = {}})});
  story.timeline().listen(t0);
  EXPECT_FALSE(story.tell(
      [](auto& h) { h.at(10ms).accept("orders->inventory", 1).start("orders->inventory", 1, 1); }));
  EXPECT_FALSE(story.tell([](auto& h) {
    h.at(15ms).accept(to_orders, 2).start(to_orders, 2, 1, {.method = "grpc.health.v1.Health/Check"});
  })) << "health checks are no business";
  EXPECT_TRUE(story.tell([](auto& h) { h.at(20ms).start(to_orders, 2, 3); }));
}

TEST(TimelineTest, InFlightOfAMethodIgnoresOthers) {
  Story story(
      {kill_when(scenario::WhenInFlight{.on = to_orders, .at_least = 1, .method = "shop.v1.*/Place"})});
  story.timeline().listen(t0);
  EXPECT_FALSE(story.tell([](auto& h) {
    h.at(10ms).accept(to_orders, 1).start(to_orders, 1, 1, {.method = "shop.v1.OrdersService/List"});
  }));
  EXPECT_TRUE(story.tell([](auto& h) { h.at(20ms).start(to_orders, 1, 3); }));
}

TEST(TimelineTest, NoWhenIsListenedToDuringTheBaseline) {
  Story story({kill_when(scenario::WhenCall{.on = {to_orders}, .nth = 1, .stage = {}, .method = {}})});
  EXPECT_FALSE(story.tell([](auto& h) { h.at(10ms).accept(to_orders, 1).start(to_orders, 1, 1); }));
  EXPECT_EQ(story.due_by(50ms), "");
  story.timeline().listen(t0 + 100ms);
  EXPECT_EQ(story.due_by(110ms), "") << "what happened in the baseline does not count";
  EXPECT_TRUE(story.tell([](auto& h) { h.at(120ms).start(to_orders, 1, 3); }));
  EXPECT_EQ(story.due_by(120ms), "arm kill");
}

TEST(TimelineTest, CallsInFlightWhenTheBaselineEndsCount) {
  Story story({kill_when(scenario::WhenInFlight{.on = to_orders, .at_least = 1, .method = {}})});
  EXPECT_FALSE(story.tell([](auto& h) { h.at(90ms).accept(to_orders, 1).start(to_orders, 1, 1); }));
  EXPECT_TRUE(story.timeline().quiet());
  story.timeline().listen(t0 + 100ms);
  EXPECT_EQ(story.next(), Duration(100ms)) << "the condition holds already";
  EXPECT_EQ(story.due_by(100ms), "arm kill");
}

TEST(TimelineTest, TheNthCallIsCountedOnItsEdgeOnly) {
  Story story({kill_when(scenario::WhenCall{.on = {to_orders}, .nth = 2, .stage = {}, .method = {}})});
  story.timeline().listen(t0);
  EXPECT_FALSE(story.tell([](auto& h) {
    h.at(10ms).accept(to_orders, 1).start(to_orders, 1, 1);
    h.accept("orders->inventory", 2).start("orders->inventory", 2, 1);
  }));
  EXPECT_TRUE(story.tell([](auto& h) { h.at(20ms).start(to_orders, 1, 3); }));
  EXPECT_FALSE(story.tell([](auto& h) { h.at(30ms).start(to_orders, 1, 5); }));
}

struct StageCase {
  std::string name;
  faults::Stage stage;
  /// Lets stream `stream` of connection 1 reach the stage.
  void (*reach)(HistoryBuilder& history, StreamId stream);
};
class TimelineStageTest : public testing::TestWithParam<StageCase> {};

faults::MessageSeen message(HistoryBuilder& h, StreamId stream, faults::Direction direction) {
  faults::MessageSeen seen;
  seen.edge = {to_orders};
  seen.connection = {1};
  seen.stream = stream;
  seen.times.received = h.now();
  seen.direction = direction;
  return seen;
}

TEST_P(TimelineStageTest, CountsCallsOfItsMethodThatReachTheStage) {
  Story story({kill_when(scenario::WhenCall{
      .on = {to_orders}, .nth = 2, .stage = GetParam().stage, .method = "shop.v1.OrdersService/Place"})});
  // Begun in the baseline, so that their method must be remembered from before listening.
  const bool headers = GetParam().stage == faults::Stage::headers;
  const auto begin = [](HistoryBuilder& h, StreamId stream, const char* method) {
    h.start(to_orders, 1, stream, {.method = method});
  };
  story.tell([&](auto& h) {
    h.at(10ms).accept(to_orders, 1);
    if (headers) return;
    begin(h, 1, "shop.v1.OrdersService/Place");
    begin(h, 3, "shop.v1.OrdersService/List");
    begin(h, 5, "shop.v1.OrdersService/Place");
  });
  story.timeline().listen(t0 + 100ms);
  const auto reach = [&](StreamId stream, const char* method) {
    return story.tell([&](auto& h) {
      h.at(200ms);
      if (headers) begin(h, stream, method);
      if (!headers) GetParam().reach(h, stream);
    });
  };
  EXPECT_FALSE(reach(1, "shop.v1.OrdersService/Place"));
  EXPECT_FALSE(reach(3, "shop.v1.OrdersService/List")) << "another method";
  EXPECT_TRUE(reach(5, "shop.v1.OrdersService/Place"));
}

INSTANTIATE_TEST_SUITE_P(Stages, TimelineStageTest,
                         testing::Values(StageCase{"headers", faults::Stage::headers, nullptr},
                                         StageCase{"request_message", faults::Stage::request_message,
                                                   [](HistoryBuilder& h, StreamId s) {
                                                     h.add(message(h, s, faults::Direction::request));
                                                   }},
                                         StageCase{"response_headers", faults::Stage::response_headers,
                                                   [](HistoryBuilder& h, StreamId s) {
                                                     faults::ResponseStarted started;
                                                     started.edge = {to_orders};
                                                     started.connection = {1};
                                                     started.stream = s;
                                                     started.times.received = h.now();
                                                     h.add(started);
                                                   }},
                                         StageCase{"response_message", faults::Stage::response_message,
                                                   [](HistoryBuilder& h, StreamId s) {
                                                     h.add(message(h, s, faults::Direction::response));
                                                   }},
                                         StageCase{
                                             "response_end", faults::Stage::response_end,
                                             [](HistoryBuilder& h, StreamId s) { h.end(to_orders, 1, s); }}),
                         [](const auto& one) { return one.param.name; });

TEST(TimelineTest, ARequestMessageIsNoResponseMessage) {
  Story story({kill_when(scenario::WhenCall{
      .on = {to_orders}, .nth = 1, .stage = faults::Stage::response_message, .method = {}})});
  story.timeline().listen(t0);
  story.tell([](auto& h) { h.at(10ms).accept(to_orders, 1).start(to_orders, 1, 1); });
  EXPECT_FALSE(story.tell([](auto& h) { h.add(message(h, 1, faults::Direction::request)); }));
  EXPECT_TRUE(story.tell([](auto& h) { h.add(message(h, 1, faults::Direction::response)); }));
}

TEST(TimelineTest, ASecondMessageOfACallIsNotASecondCall) {
  Story story({kill_when(scenario::WhenCall{
      .on = {to_orders}, .nth = 2, .stage = faults::Stage::request_message, .method = {}})});
  story.timeline().listen(t0);
  story.tell([](auto& h) { h.at(10ms).accept(to_orders, 1).start(to_orders, 1, 1).start(to_orders, 1, 3); });
  EXPECT_FALSE(story.tell([](auto& h) { h.add(message(h, 1, faults::Direction::request)); }));
  EXPECT_FALSE(story.tell([](auto& h) {
    auto second = message(h, 1, faults::Direction::request);
    second.index = 1;
    h.add(second);
  }));
  EXPECT_TRUE(story.tell([](auto& h) { h.add(message(h, 3, faults::Direction::request)); }));
}

TEST(TimelineTest, AfterAnotherFaultsStartCountsTheDelayFromThere) {
  Story story({entry("slow", "latency", to_orders, Duration(1s), 2s),
               kill_when(scenario::WhenAfter{.fault = {"slow"}, .mark = "start", .delay = 300ms})});
  story.timeline().listen(t0 + 100ms);
  EXPECT_EQ(story.due_by(1s), "arm slow");
  EXPECT_TRUE(story.tell([](auto& h) { h.at(1s).arm("slow"); }));
  EXPECT_EQ(story.next(), Duration(1300ms));
  EXPECT_EQ(story.due_by(1299ms), "");
  EXPECT_EQ(story.due_by(1300ms), "arm kill");
}

TEST(TimelineTest, AfterFirstHitWaitsForAHitOfThatFault) {
  Story story({entry("slow", "latency", to_orders, Duration(1s)),
               entry("other", "stall", to_orders, Duration(1s)),
               kill_when(scenario::WhenAfter{.fault = {"slow"}, .mark = "first_hit", .delay = {}})});
  story.timeline().listen(t0);
  story.due_by(1s);
  EXPECT_FALSE(story.tell([](auto& h) { h.at(1s).arm("slow").arm("other"); }));
  EXPECT_FALSE(story.tell([](auto& h) { h.at(1100ms).hit("other", to_orders, 1); }));
  EXPECT_TRUE(story.tell([](auto& h) { h.at(1200ms).hit("slow", to_orders, 1); }));
  EXPECT_EQ(story.due_by(1200ms), "arm kill");
}

TEST(TimelineTest, AfterTheEndOfASpanWaitsUntilItIsCleared) {
  Story story({entry("slow", "latency", to_orders, Duration(1s), 1s),
               kill_when(scenario::WhenAfter{.fault = {"slow"}, .mark = "end", .delay = {}})});
  story.timeline().listen(t0);
  EXPECT_FALSE(story.tell([](auto& h) { h.at(1s).arm("slow"); }));
  EXPECT_TRUE(story.tell([](auto& h) { h.at(2s).clear("slow"); }));
}

TEST(TimelineTest, TheEndOfAnInstantFaultIsItsStart) {
  Story story({entry("term", "signal", "orders", Duration(1s)),
               kill_when(scenario::WhenAfter{.fault = {"term"}, .mark = "end", .delay = 1s})});
  story.timeline().listen(t0);
  EXPECT_TRUE(story.tell([](auto& h) { h.at(1s).arm("term"); }));
  EXPECT_EQ(story.due_by(1s), "arm term");
  EXPECT_EQ(story.due_by(2s), "arm kill");
}

TEST(TimelineTest, HealthIsAskedForUnderTheServicesOwnNames) {
  scenario::Scenario scenario = shop();
  scenario.services[1].liveness = "live";
  scenario.services[1].readiness = "shop.v1.OrdersService";
  const auto when = [](const char* name) {
    return scenario::WhenHealth{.service = {"orders"}, .name = name, .is = "NOT_SERVING"};
  };
  scenario.timeline = {entry("l", "kill", "orders", when("liveness")),
                       entry("r", "kill", "orders", when("readiness")),
                       entry("s", "kill", "orders", when("server"))};
  const auto armed_by = [&](const char* service, history::HealthStatus status, const char* name) {
    Timeline timeline(scenario);
    timeline.start(t0);
    timeline.listen(t0);
    HistoryBuilder history;
    history.at(10ms).health(service, status, name);
    timeline.observe(history.history().events().front());
    std::string text;
    for (const auto& one : timeline.due(t0 + 1s)) text += scenario.timeline[one.entry].id.text;
    return text;
  };
  using enum history::HealthStatus;
  EXPECT_EQ(armed_by("orders", not_serving, "live"), "l");
  EXPECT_EQ(armed_by("orders", not_serving, "shop.v1.OrdersService"), "r");
  EXPECT_EQ(armed_by("orders", not_serving, ""), "s");
  EXPECT_EQ(armed_by("orders", serving, "live"), "");
  EXPECT_EQ(armed_by("inventory", not_serving, ""), "");
  EXPECT_EQ(armed_by("orders", not_serving, "liveness"), "") << "not what this service calls it";
}

TEST(TimelineTest, AnExitIsThatOfTheNamedService) {
  Story story({kill_when(scenario::WhenExit{.service = {"inventory"}})});
  story.timeline().listen(t0);
  EXPECT_FALSE(story.tell([](auto& h) { h.at(10ms).exit("storefront", 7, 0); }));
  EXPECT_TRUE(story.tell([](auto& h) { h.at(20ms).exit("inventory", 8, {}, SIGKILL); }));
}

}  // namespace
}  // namespace breakwire::run
