#include <set>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

const char* const entrance = "client->storefront";
const char* const in = "storefront->orders";
const char* const out = "orders->inventory";
const char* const all = R"({"check": "trace"})";
const char* const serial = R"({"check": "trace", "concurrent": 1})";
const char* const reserve = "shop.v1.InventoryService/Reserve";

/// Traces 1 to `calls`, one every 10 ms from 1 s on, each from its begin at orders for 40 ms, with a further
/// call to inventory from 5 to 30 ms of that.
struct Shop {
  HistoryBuilder builder;
  explicit Shop(uint64_t calls = 0) {
    builder.phase(Phase::baseline);
    for (uint64_t i = 1; i <= calls; ++i) serve(i, {.trace = i, .parent = span("b", i)});
  }
  static const char* span(const char* prefix, uint64_t number) {
    static std::set<std::string> kept;
    return kept.insert(prefix + std::to_string(number)).first->c_str();
  }
  static Duration begin(uint64_t number) { return 1s + static_cast<int64_t>(number) * 10ms; }
  static StreamId stream(uint64_t number) { return static_cast<StreamId>(number * 2 + 1); }

  Shop& enter(uint64_t number) { return enter(number, begin(number)); }
  Shop& enter(uint64_t number, Duration t) {
    builder.at(t).start(in, 1, stream(number), {.trace = number, .parent = span("a", number)});
    return *this;
  }
  Shop& leave(uint64_t number, Duration t, StatusCode status = StatusCode::ok) {
    builder.at(t).end(in, 1, stream(number), status);
    return *this;
  }
  Shop& further(uint64_t number, Duration from, Duration to, HistoryBuilder::Start how) {
    how.method = reserve;
    builder.at(from).start(out, 2, stream(number), how);
    builder.at(to).end(out, 2, stream(number));
    return *this;
  }
  /// The whole of it, the further call being as it says.
  Shop& serve(uint64_t number, HistoryBuilder::Start how) {
    const Duration t = begin(number);
    return enter(number).further(number, t + 5ms, t + 30ms, how).leave(number, t + 40ms);
  }
  CheckResult judge(const std::string& entry = all) const { return judged(entry, builder); }
};

TEST(TraceTest, CallsInTheTraceOfTheirCallerArePassed) {
  const auto result = Shop(10).judge();
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 10u);
  EXPECT_EQ(result.actual,
            "10 further calls on 2 edges; orders had up to 4 calls at once; no call on client->storefront");
}

TEST(TraceTest, ACallWithoutATraceIsShown) {
  Shop shop(5);
  shop.serve(6, {.trace = 0});
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(
      result.actual.find("1 carry no valid traceparent, first orders->inventory connection 2 stream 13 at "
                         "1.065 s"),
      std::string::npos)
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{23}));
}

TEST(TraceTest, ATraceThatNobodyBroughtIsShown) {
  Shop shop(5);
  shop.serve(6, {.trace = 77, .parent = "b6"});
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 carry a trace id that no call to their caller has brought"),
            std::string::npos)
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{23}));
}

TEST(TraceTest, ARetryThatBeginsATraceOfItsOwnIsShown) {
  Shop shop(5);
  shop.enter(6).builder.at(1070ms).start(out, 2, 901, {.trace = 6, .parent = "b6"});
  shop.builder.at(1080ms).end(out, 2, 901, StatusCode::unavailable);
  shop.further(6, 1090ms, 1095ms, {.trace = 66, .previous = 1, .parent = "c6"}).leave(6, 1100ms);
  EXPECT_NE(shop.judge().actual.find("1 carry a trace id that no call to their caller has brought"),
            std::string::npos);
}

TEST(TraceTest, AttemptsOfOneCallMayShareTheirParent) {
  Shop shop(5);
  shop.enter(6).builder.at(1070ms).start(out, 2, 901, {.trace = 6, .parent = "b6"});
  shop.builder.at(1080ms).end(out, 2, 901, StatusCode::unavailable);
  shop.further(6, 1090ms, 1095ms, {.trace = 6, .previous = 1, .parent = "b6"}).leave(6, 1100ms);
  EXPECT_PASSED(shop.judge());
}

TEST(TraceTest, TheCallersOwnParentPassedOnIsShown) {
  Shop shop(5);
  shop.serve(6, {.trace = 6, .parent = "a6"});
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 carry the parent id that their caller was given"), std::string::npos)
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{22, 23}));
}

TEST(TraceTest, AParentOfAnotherTraceIsShown) {
  Shop shop(5);
  shop.serve(6, {.trace = 6, .parent = "b2"});
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 carry a parent id that is another trace's"), std::string::npos)
      << result.actual;
}

// Two calls that orders has open together, and the ids of their further calls swapped.

TEST(TraceTest, SwappedIdsShowWhenOneBeganBeforeTheOtherCallHadCome) {
  Shop shop(5);
  shop.enter(6).builder.at(1063ms);
  shop.further(6, 1064ms, 1080ms, {.trace = 7, .parent = "b7"});
  shop.enter(7).further(7, 1075ms, 1090ms, {.trace = 6, .parent = "b6"}).leave(6, 1100ms).leave(7, 1110ms);
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("1 carry a trace id that no call to their caller has brought, first "
                               "orders->inventory connection 2 stream 13 at 1.064 s from orders"),
            std::string::npos)
      << result.actual;
}

TEST(TraceTest, SwappedIdsShowWhenOneOutlivesTheOther) {
  Shop shop(5);
  shop.enter(6).enter(7);
  shop.builder.at(1075ms).start(out, 2, 101, {.method = reserve, .trace = 7, .parent = "b7"});  // made for 6
  shop.builder.at(1076ms).start(out, 2, 103, {.method = reserve, .trace = 6, .parent = "b6"});  // made for 7
  shop.builder.at(1080ms).end(out, 2, 101);
  shop.leave(6, 1081ms);
  shop.builder.at(1200ms).end(out, 2, 103);
  shop.leave(7, 1201ms);
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(
      result.actual.find("1 were still running when the only call of their trace had been answered, first "
                         "orders->inventory connection 2 stream 103"),
      std::string::npos)
      << result.actual;
  EXPECT_PASSED(shop.judge(R"({"check": "trace", "detached": true})"));
}

TEST(TraceTest, WhatAServiceGivesUpWhenItAnswersNeedNotHaveEndedBefore) {
  const auto with_loser = [](std::optional<Duration> reset) {
    Shop shop(5);
    shop.enter(6).further(6, 1065ms, 1070ms, {.trace = 6, .parent = "b6"});
    shop.builder.at(1066ms).start(out, 2, 901, {.method = "shop.v1.Other/Ask", .trace = 6, .parent = "c6"});
    shop.leave(6, 1071ms);
    if (reset)
      shop.builder.at(*reset).end_as(out, 2, 901, faults::Ending::reset_by_downstream, Http2Error::cancel);
    shop.builder.at(2s).phase(Phase::settling);
    return shop.judge();
  };
  EXPECT_PASSED(with_loser(1150ms));
  EXPECT_EQ(with_loser(std::nullopt).verdict, Verdict::failed);
}

TEST(TraceTest, SwappedIdsShowWhenOneBeganAfterTheOthersAnswer) {
  Shop shop(5);
  shop.enter(6).enter(7);
  shop.further(7, 1075ms, 1078ms, {.trace = 7, .parent = "b7"}).leave(6, 1079ms);
  shop.further(6, 1180ms, 1190ms, {.trace = 6, .parent = "b6"}).leave(7, 1191ms);
  EXPECT_NE(shop.judge().actual.find("1 began after the only call of their trace had been answered"),
            std::string::npos);
}

TEST(TraceTest, TwoOfOneTraceAndNoneOfTheOtherShow) {
  Shop shop(8);
  shop.enter(9).enter(10);
  shop.further(9, 1105ms, 1110ms, {.trace = 10, .parent = "b10"});
  shop.further(10, 1106ms, 1111ms, {.trace = 10, .parent = "c10"}).leave(9, 1112ms).leave(10, 1113ms);
  const auto result = shop.judge(R"({"check": "trace", "further": 1})");
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find(
                "1 calls were given the trace id of another that was open beside them, first orders "
                "made 2 calls in the trace of storefront->orders connection 1 stream 21 and 0 in that "
                "of storefront->orders connection 1 stream 19, where 1 is usual"),
            std::string::npos)
      << result.actual;
  EXPECT_EQ(numbers(result), (Evidence{34, 35, 36, 38}));
}

TEST(TraceTest, AServiceThatMakesMoreCallsForOneAndFewerForAnotherMayBeRight) {
  Shop shop(8);  // one each; one more has two of its own, and one beside it is served from a cache
  shop.enter(9).further(9, 1095ms, 1100ms, {.trace = 9, .parent = "b9"});
  shop.further(10, 1105ms, 1110ms, {.trace = 9, .parent = "c9"}).leave(9, 1112ms);
  shop.enter(20, 1100ms).leave(20, 1101ms);
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(
      result.reason,
      "calls may have been mixed up: orders made 2 calls in the trace of storefront->orders connection 1 "
      "stream 19 and 0 in that of storefront->orders connection 1 stream 41, where 1 is usual; `further` "
      "says whether that is wrong");
  EXPECT_EQ(shop.judge(R"({"check": "trace", "further": 1})").verdict, Verdict::failed);
  EXPECT_PASSED(shop.judge(R"({"check": "trace", "further": 0})"));
}

TEST(TraceTest, MoreCallsThanUsualForOneAreNoMixUpUnlessAnotherGoesWithout) {
  Shop more(8);
  more.enter(9).further(9, 1095ms, 1100ms, {.trace = 9, .parent = "b9"});
  more.further(10, 1105ms, 1110ms, {.trace = 9, .parent = "c9"}).leave(9, 1112ms);
  EXPECT_PASSED(more.judge());
  more.enter(20).leave(20, 1210ms);  // from a cache, long after
  EXPECT_PASSED(more.judge());
}

TEST(TraceTest, WhatServicesPassOnTellsSwappedCallsApart) {
  Shop shop(5);
  shop.builder.at(900ms).issue(6).issue(7);
  shop.enter(6).enter(7);
  shop.further(6, 1075ms, 1090ms, {.trace = 7, .parent = "b7", .call_id = "shoppers-6"});
  shop.further(7, 1076ms, 1091ms, {.trace = 6, .parent = "b6", .call_id = "shoppers-7"});
  shop.leave(6, 1100ms).leave(7, 1101ms);
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_NE(result.actual.find("2 carry the trace id of another call than the one they are made for, first "
                               "shoppers-6 on orders->inventory at 1.075 s"),
            std::string::npos)
      << result.actual;
}

TEST(TraceTest, TheValueOfTheEdgesKeyTellsSwappedCallsApart) {
  Shop shop;
  for (const uint64_t number : {6u, 7u}) {
    shop.builder.at(Shop::begin(number))
        .start(in, 1, Shop::stream(number),
               {.trace = number,
                .parent = Shop::span("a", number),
                .correlation = number == 6 ? "six" : "seven"});
  }
  shop.further(6, 1075ms, 1090ms, {.trace = 7, .parent = "b7", .correlation = "six"});
  shop.further(7, 1076ms, 1091ms, {.trace = 6, .parent = "b6", .correlation = "seven"});
  shop.leave(6, 1100ms).leave(7, 1101ms);
  EXPECT_NE(shop.judge().actual.find("2 carry the trace id of another call"), std::string::npos);
}

TEST(TraceTest, OnTheWayInTheLoadsOwnTraceMustBeThere) {
  const auto entered = [](uint64_t trace) {
    Shop shop(5);
    shop.builder.at(900ms).issue(3);
    shop.builder.start(entrance, 3, 1, {.trace = trace, .parent = "z1", .call_id = "shoppers-3"});
    return shop.judge(R"({"check": "trace", "on": ["client->storefront", "orders->inventory"]})");
  };
  EXPECT_PASSED(entered(3));
  for (const uint64_t wrong : {0u, 4u}) {
    const auto result = entered(wrong);
    EXPECT_EQ(result.verdict, Verdict::failed);
    EXPECT_NE(result.actual.find("1 carry another trace id than the load gave them, first shoppers-3"),
              std::string::npos)
        << result.actual;
  }
}

TEST(TraceTest, ACallerWithoutATraceLeavesTheServiceItsOwn) {
  Shop shop(5);
  shop.builder.at(1060ms).start(in, 1, 901, {});
  shop.further(6, 1065ms, 1070ms, {.trace = 500, .parent = "b6"});
  shop.builder.at(1080ms).end(in, 1, 901);
  const auto result = shop.judge();
  EXPECT_PASSED(result);
  EXPECT_NE(result.actual.find("1 call may be for callers that came without a trace"), std::string::npos);
}

TEST(TraceTest, WorkThatACancelledCallLeftBehindIsNoCrossTalk) {
  Shop shop(5);
  shop.enter(6).builder.at(1070ms).end_as(in, 1, Shop::stream(6), faults::Ending::reset_by_downstream,
                                          Http2Error::cancel);
  shop.further(6, 1300ms, 1400ms, {.trace = 6, .parent = "b6"});
  EXPECT_PASSED(shop.judge());
}

TEST(TraceTest, CallsOneAfterTheOtherCannotBeMixedUp) {
  Shop shop;
  for (uint64_t number = 1; number < 50; number += 10)
    shop.serve(number, {.trace = number, .parent = Shop::span("b", number)});
  const auto result = shop.judge();
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "orders never had 2 calls at once, so calls could not have been mixed up");
  EXPECT_PASSED(shop.judge(serial));
}

TEST(TraceTest, WhereNobodyCallsFurtherNothingIsProved) {
  Shop shop;
  EXPECT_EQ(shop.enter(1).leave(1, 1050ms).judge().reason, "no service that was called called any further");
  EXPECT_EQ(Shop(5).judge(R"({"check": "trace", "on": ["orders->inventory", "client->storefront"]})").reason,
            "no call on client->storefront");
  EXPECT_PASSED(Shop(5).judge(R"({"check": "trace", "on": ["orders->inventory"]})"));
}

TEST(TraceTest, OnlyCallsOfTheWindowAreJudged) {
  Shop shop;
  shop.builder.fault({.id = {"f"}, .on = out});
  shop.builder.phase(Phase::baseline);
  shop.enter(1).further(1, 1015ms, 1020ms, {.trace = 0}).leave(1, 1030ms);
  shop.builder.at(1035ms).arm("f").hit("f", out, 2, 3);
  for (uint64_t number = 5; number < 10; ++number)
    shop.serve(number, {.trace = number, .parent = Shop::span("b", number)});
  EXPECT_PASSED(shop.judge(R"({"check": "trace", "during": "f"})"));
  EXPECT_EQ(shop.judge().verdict, Verdict::failed);
}

TEST(TraceTest, AskedOfNoEdgeAtAllIsAnError) {
  EXPECT_NE(errors_of(R"({"check": "trace", "on": []})").find("`on` names no edge"), std::string::npos);
}

}  // namespace
}  // namespace breakwire::checks
