#include <csignal>

#include "tests/harness/checks/judging.h"

namespace breakwire::checks {
namespace {

using history::MetricsSeen;
using Values = std::vector<MetricsSeen::Sample>;

const std::string more_than_two =
    R"({"check": "metrics", "service": "orders", "series": "x_total", "increases_by": {"min": 3}})";
const std::string none =
    R"({"check": "metrics", "service": "orders", "series": "x_total", "increases_by": {"max": 0}})";
const std::string as_server =
    R"({"check": "metrics", "service": "orders", "series": "x_total", "tolerance": 0,
    "equals_calls_on": "storefront->orders", "status": "DEADLINE_EXCEEDED"})";
const std::string as_client =
    R"({"check": "metrics", "service": "orders", "series": "x_total", "tolerance": 0,
    "equals_calls_on": "orders->inventory", "status": "DEADLINE_EXCEEDED"})";

class ScrapeBuilder : public HistoryBuilder {
 public:
  ScrapeBuilder() { phase(Phase::main); }
  /// The answer is there 10 ms after the question.
  ScrapeBuilder& scrape(Duration asked, Values values, const char* service = "orders") {
    at(asked + 10ms)
        .add(MetricsSeen{.service = {service}, .asked = history::t0 + asked, .samples = std::move(values)});
    return *this;
  }
  ScrapeBuilder& scrape(Duration asked, double x) { return scrape(asked, Values{{"x_total", x}}); }
  ScrapeBuilder& fail(Duration asked, const char* error = "connection refused") {
    at(asked + 10ms)
        .add(MetricsSeen{.service = {"orders"}, .asked = history::t0 + asked, .samples = {}, .error = error});
    return *this;
  }
  /// A call that begins at `begin` and is given up at its deadline, 300 ms later.
  ScrapeBuilder& time_out(const char* edge, Duration begin, uint64_t n) {
    at(begin).start(edge, 1, static_cast<StreamId>(2 * n + 1), {.timeout = 300ms, .trace = n});
    at(begin + 300ms)
        .end_as(edge, 1, static_cast<StreamId>(2 * n + 1), faults::Ending::reset_by_downstream,
                Http2Error::cancel);
    return *this;
  }
  ScrapeBuilder& over(Duration when = 3s) {
    at(when).phase(Phase::teardown);
    return *this;
  }
};

TEST(MetricsTest, AnIncreaseIsComparedWithARange) {
  ScrapeBuilder builder;
  builder.scrape(0s, 10).scrape(1s, 11).scrape(2900ms, 13).over();
  const auto result = judged(more_than_two, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.expected, "x_total of orders increases by at least 3");
  EXPECT_EQ(result.actual, "by 3, from 10 to 13");
  const auto with = [&](const char* range) {
    return judged(R"({"check": "metrics", "service": "orders", "series": "x_total", "increases_by": )" +
                      std::string(range) + "}",
                  builder)
        .verdict;
  };
  EXPECT_EQ(with(R"({"exactly": 3})"), Verdict::passed);
  EXPECT_EQ(with(R"({"exactly": 4})"), Verdict::failed);
  EXPECT_EQ(with(R"({"min": 1, "max": 2})"), Verdict::failed);
  EXPECT_EQ(with(R"({"max": 3})"), Verdict::passed);
}

TEST(MetricsTest, TooSmallAnIncreaseShowsBothScrapes) {
  ScrapeBuilder builder;
  builder.scrape(0s, 10).scrape(1s, 11).scrape(2900ms, 12).over();
  const auto result = judged(more_than_two, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "by 2, from 10 to 12");
  EXPECT_EQ(numbers(result), (Evidence{2, 4}));
}

TEST(MetricsTest, SeriesAreAddedUpThatTheLabelsSelect) {
  ScrapeBuilder builder;
  builder.scrape(
      0s,
      Values{{R"(x_total{code="A",m="1"})", 1}, {R"(x_total{code="B",m="1"})", 100}, {"x_total_other", 1}});
  builder.scrape(2900ms, Values{{R"(x_total{code="A",m="1"})", 2},
                                {R"(x_total{code="A",m="2"})", 2},  // appeared meanwhile, from 0
                                {R"(x_total{code="B",m="1"})", 200},
                                {"x_total_other", 50}});
  builder.over();
  const auto result = judged(
      R"({"check": "metrics", "service": "orders", "series": "x_total", "labels": {"code": "A"}, "increases_by": {"exactly": 3}})",
      builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.expected, "x_total{code=\"A\"} of orders increases by 3");
}

TEST(MetricsTest, ARestartBeginsAgainFromZero) {
  ScrapeBuilder builder;
  builder.scrape(0s, 10).scrape(1s, 12).fail(1100ms).scrape(1500ms, 1).scrape(2900ms, 4).over();
  const auto result = judged(
      R"({"check": "metrics", "service": "orders", "series": "x_total", "increases_by": {"exactly": 6}})",
      builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "by 6, from 10 to 4; began again from 0 1 time");
}

TEST(MetricsTest, ARestartIsNoticedThoughNothingFell) {
  const auto restarted = [](double before, double after) {
    ScrapeBuilder builder;
    builder.at(-1s).process("orders", 7);
    builder.scrape(0s, before).time_out("storefront->orders", 500ms, 1);
    builder.at(900ms).exit("orders", 7, 0).at(1s).process("orders", 8);
    return builder.scrape(2900ms, after).over();
  };
  const auto lost = judged(as_server, restarted(0, 0));
  EXPECT_EQ(lost.verdict, Verdict::inconclusive) << "it may have counted it, and died with it";
  EXPECT_EQ(lost.actual, "by 0, from 0 to 0; began again from 0 1 time; the wire saw 0 to 1 such call");
  const auto overtaken = judged(more_than_two, restarted(2, 4));
  EXPECT_PASSED(overtaken);
  EXPECT_EQ(overtaken.actual, "by 4, from 2 to 4; began again from 0 1 time");
}

TEST(MetricsTest, ASeriesThatVanishesAndComesBackBeganAgain) {
  ScrapeBuilder builder;
  builder.scrape(0s, 10).scrape(1s, Values{}).scrape(2900ms, 3).over();
  const auto result = judged(more_than_two, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.actual, "by 3, from 10 to 3; began again from 0 1 time");
}

TEST(MetricsTest, WhatNeverAppearedIsWrongWhereAnIncreaseIsExpected) {
  ScrapeBuilder builder;
  builder.scrape(0s, Values{{"y_total", 1}}).scrape(2900ms, Values{}).over();
  const auto result = judged(more_than_two, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "no such series ever appeared in 2 scrapes");
  const auto still = judged(none, builder);
  EXPECT_EQ(still.verdict, Verdict::inconclusive);
  EXPECT_EQ(still.reason, "no such series ever appeared");
}

TEST(MetricsTest, TheWindowIsBetweenTheScrapesNextToIt) {
  ScrapeBuilder builder;
  builder.fault({.id = {"f"}, .on = "orders->inventory"});
  builder.scrape(0s, 0).scrape(900ms, 5).at(1s).arm("f").hit("f");
  builder.scrape(1050ms, 6).at(2s).clear("f");
  builder.scrape(2100ms, 9).scrape(2900ms, 50).over();
  EXPECT_PASSED(judged(
      R"({"check": "metrics", "service": "orders", "series": "x_total", "increases_by": {"exactly": 4}, "during": "f"})",
      builder));
}

TEST(MetricsTest, WithoutScrapesNearTheWindowNothingIsKnown) {
  const auto reason = [](ScrapeBuilder builder) {
    const auto result = judged(more_than_two, builder.over());
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    return result.reason;
  };
  EXPECT_EQ(reason(ScrapeBuilder()), "orders could not be scraped: nobody did");
  EXPECT_EQ(reason(ScrapeBuilder().fail(0s).fail(100ms, "HTTP 500")),
            "orders could not be scraped; 2 scrapes failed, the last: HTTP 500");
  EXPECT_EQ(
      reason(ScrapeBuilder().fail(0s).scrape(1200ms, 1).scrape(2900ms, 9)),
      "the first scrape was 1.21 s after the window's begin; 1 scrape failed, the last: connection refused");
  EXPECT_EQ(reason(ScrapeBuilder().scrape(0s, 1).scrape(1s, 9).fail(2s)),
            "the last scrape was 2 s before the window's end; 1 scrape failed, the last: connection refused");
  EXPECT_EQ(reason(ScrapeBuilder().scrape(2500ms, 1)).substr(0, 16), "the first scrape");
}

TEST(MetricsTest, AServerCountsEachAttemptItWasGiven) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0);
  builder.time_out("storefront->orders", 500ms, 1).time_out("storefront->orders", 1s, 2);
  builder.at(1s).start("storefront->orders", 1, 9).at(1100ms).end("storefront->orders", 1, 9);  // OK
  builder.scrape(2900ms, 2).over();
  const auto result = judged(as_server, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 2u);
  EXPECT_EQ(result.expected,
            "x_total of orders increases by as many calls as ended with DEADLINE_EXCEEDED on "
            "storefront->orders (± 0)");
  EXPECT_EQ(result.actual, "by 2, from 0 to 2; the wire saw 2 such calls");
}

TEST(MetricsTest, TimeoutsThatWereNotCountedAreTold) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0);
  builder.time_out("storefront->orders", 500ms, 1).time_out("storefront->orders", 1s, 2);
  builder.scrape(2900ms, 0).over();
  const auto result = judged(as_server, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "by 0, from 0 to 0; the wire saw 2 such calls");
  EXPECT_EQ(numbers(result), (Evidence{2, 7, 4, 6}));
}

TEST(MetricsTest, TimeoutsThatNeverHappenedAreTold) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0).scrape(2900ms, 2).over();
  const auto result = judged(as_server, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "by 2, from 0 to 2; the wire saw 0 such calls");
}

TEST(MetricsTest, ACountThatNeverAppearedIsTold) {
  ScrapeBuilder builder;
  builder.scrape(0s, Values{}).time_out("storefront->orders", 500ms, 1).scrape(2900ms, Values{}).over();
  const auto result = judged(as_server, builder);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "no such series ever appeared in 2 scrapes; the wire saw 1 such call");
}

TEST(MetricsTest, TheToleranceIsNoExcuseForACountThatIsNotKept) {
  const std::string tolerant =
      R"({"check": "metrics", "service": "orders", "series": "x_total",
      "equals_calls_on": "storefront->orders", "status": "DEADLINE_EXCEEDED"})";
  ScrapeBuilder absent;
  absent.scrape(0s, Values{}).time_out("storefront->orders", 500ms, 1).scrape(2900ms, Values{}).over();
  const auto result = judged(tolerant, absent);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.actual, "no such series ever appeared in 2 scrapes; the wire saw 1 such call");
  ScrapeBuilder still;
  still.scrape(0s, 7).time_out("storefront->orders", 500ms, 1).scrape(2900ms, 7).over();
  const auto unmoved = judged(tolerant, still);
  EXPECT_EQ(unmoved.verdict, Verdict::inconclusive);
  EXPECT_EQ(unmoved.reason, "it did not move, and so few calls are within the tolerance");
}

TEST(MetricsTest, CallsThatMayCountOrNotProveNothing) {
  for (const double counted : {0, 1}) {
    ScrapeBuilder builder;
    builder.scrape(0s, 0).at(400ms).signal("orders", 7, SIGSTOP, "frozen");
    builder.time_out("storefront->orders", 500ms, 1).at(1s).signal("orders", 7, SIGCONT, "frozen");
    builder.scrape(2900ms, counted).over();
    const auto result = judged(as_server, builder);
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    EXPECT_EQ(result.samples, 0u);
    EXPECT_EQ(result.reason, "no such call ended on storefront->orders that orders must have counted");
  }
}

TEST(MetricsTest, CallsThatEndAboutTheTimeOfAScrapeMayCountOrNot) {
  for (const double counted : {1, 2, 3}) {
    ScrapeBuilder builder;
    builder.fault({.id = {"f"}, .on = "orders->inventory"});
    builder.scrape(0s, 0);
    builder.time_out("storefront->orders", 550ms, 1);  // ends at 850 ms, 50 ms before the first scrape
    builder.scrape(900ms, 0).at(1s).arm("f").hit("f");
    builder.time_out("storefront->orders", 1200ms, 2).at(2s).clear("f");
    builder.time_out("storefront->orders", 1750ms, 3);  // ends at 2050 ms, as the last one begins
    builder.scrape(2050ms, counted).over();
    const auto result = judged(
        R"({"check": "metrics", "service": "orders", "series": "x_total", "tolerance": 0, "during": "f",
            "equals_calls_on": "storefront->orders", "status": "DEADLINE_EXCEEDED"})",
        builder);
    EXPECT_PASSED(result);
    EXPECT_EQ(result.actual.substr(result.actual.find(';')), "; the wire saw 1 to 3 such calls");
  }
}

TEST(MetricsTest, TheToleranceIsANumberOrAShareOfCalls) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0);
  for (uint64_t n = 1; n <= 10; ++n) builder.time_out("storefront->orders", 500ms + 10ms * n, n);
  builder.scrape(2900ms, 9).over();
  const auto with = [&](const std::string& tolerance) {
    return judged(R"({"check": "metrics", "service": "orders", "series": "x_total", "tolerance": )" +
                      tolerance +
                      R"(, "equals_calls_on": "storefront->orders", "status": "DEADLINE_EXCEEDED"})",
                  builder)
        .verdict;
  };
  EXPECT_EQ(with("0"), Verdict::failed);
  EXPECT_EQ(with("1"), Verdict::passed);
  EXPECT_EQ(with("\"5%\""), Verdict::passed);  // of ten calls, rounded up: one
  EXPECT_EQ(with("\"0%\""), Verdict::failed);
}

TEST(MetricsTest, AClientCountsEachCallByItsLastAttempt) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0);
  builder.at(500ms).start("orders->inventory", 1, 1, {.trace = 1});
  builder.at(520ms).end("orders->inventory", 1, 1, StatusCode::unavailable);
  builder.at(550ms).start("orders->inventory", 1, 3, {.timeout = 300ms, .trace = 1, .previous = 1});
  builder.at(850ms).end_as("orders->inventory", 1, 3, faults::Ending::reset_by_downstream,
                           Http2Error::cancel);
  builder.time_out("orders->inventory", 1s, 7);
  builder.scrape(2900ms, 2).over();
  const auto result = judged(as_client, builder);
  EXPECT_PASSED(result);
  EXPECT_EQ(result.samples, 2u);
}

TEST(MetricsTest, AClientCountsWhatItSawOfAnAnswerThatWasLostOnItsWay) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0);
  builder.at(500ms).start("orders->inventory", 1, 1, {.trace = 1});
  builder.at(520ms).end_as("orders->inventory", 1, 1, faults::Ending::trailers, {}, false);
  builder.at(600ms).close("orders->inventory", 1, faults::Peer::upstream);
  builder.scrape(2900ms, 1).over();
  const auto with = [&](const std::string& status) {
    return judged(R"({"check": "metrics", "service": "orders", "series": "x_total", "tolerance": 0,
        "equals_calls_on": "orders->inventory", "status": ")" +
                      status + "\"}",
                  builder);
  };
  EXPECT_PASSED(with("UNAVAILABLE"));
  EXPECT_EQ(with("UNKNOWN").verdict, Verdict::failed) << "as which the answer would have been read";
}

TEST(MetricsTest, ACallThatFailsWithoutAConnectionIsCountedAndNotSeen) {
  const auto with = [](bool refused, double counted) {
    ScrapeBuilder builder;
    builder.accept("orders->inventory", 1);
    builder.scrape(0s, 0).time_out("orders->inventory", 500ms, 1);
    if (refused) builder.at(1s).add(faults::UpstreamRefused{{"orders->inventory"}, {2}, builder.now(), "no"});
    builder.over().at(3005ms).close("orders->inventory", 1, faults::Peer::downstream);
    return judged(as_client, builder.scrape(3010ms, counted));
  };
  const auto result = with(true, 3);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason,
            "orders->inventory was without a connection for a time: calls that fail for want of one are "
            "counted, and the wire does not show them");
  EXPECT_EQ(with(false, 3).verdict, Verdict::failed) << "there was one all the time";
  EXPECT_EQ(with(true, 0).verdict, Verdict::failed) << "what the wire shows is counted all the same";
  EXPECT_PASSED(with(true, 1));
}

TEST(MetricsTest, ABrokenConnectionLeavesCallsWithoutOne) {
  const auto broken = [](bool another) {
    ScrapeBuilder builder;
    builder.accept("orders->inventory", 1);
    builder.scrape(0s, 0).time_out("orders->inventory", 500ms, 1);
    if (another) builder.at(900ms).accept("orders->inventory", 2);
    builder.at(1s).close("orders->inventory", 1, faults::Peer::upstream);
    builder.at(2s).accept("orders->inventory", 3);
    return judged(as_client, builder.scrape(2900ms, 3).over()).verdict;
  };
  EXPECT_EQ(broken(false), Verdict::inconclusive);
  EXPECT_EQ(broken(true), Verdict::failed);
}

TEST(MetricsTest, WhatAServerNeedNotHaveNoticedMayCountOrNot) {
  for (const double counted : {1, 2}) {
    ScrapeBuilder builder;
    builder.scrape(0s, 0).at(400ms).signal("orders", 7, SIGSTOP, "frozen");
    builder.time_out("storefront->orders", 500ms, 1).at(1s).signal("orders", 7, SIGCONT, "frozen");
    builder.time_out("storefront->orders", 1500ms, 2);
    builder.scrape(2900ms, counted).over();
    EXPECT_PASSED(judged(as_server, builder));
  }
}

TEST(MetricsTest, WithoutSuchCallsNothingIsProved) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0).scrape(2900ms, 0).over();
  const auto result = judged(as_server, builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "no such call ended on storefront->orders");
}

TEST(MetricsTest, AnEdgeOfSomebodyElseSaysNothingOfTheService) {
  ScrapeBuilder builder;
  builder.scrape(0s, 0).scrape(2900ms, 0).over();
  const auto result = judged(
      R"({"check": "metrics", "service": "orders", "series": "x_total", "equals_calls_on": "client->storefront"})",
      builder);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "edge client->storefront leads neither to orders nor from it");
}

TEST(MetricsTest, ParametersThatContradictEachOtherAreErrors) {
  const auto errors = [](const std::string& rest) {
    return errors_of(R"({"check": "metrics", "service": "orders", )" + rest + "}");
  };
  EXPECT_NE(errors(R"("series": "x_total")").find("give either `increases_by` or `equals_calls_on`"),
            std::string::npos);
  EXPECT_NE(errors(R"("series": "x_total", "increases_by": {"min": 1}, "equals_calls_on": "a->b")")
                .find("give either"),
            std::string::npos);
  EXPECT_NE(errors(R"("series": "x_total", "increases_by": {"min": 1}, "status": "OK")")
                .find("`status` belongs to"),
            std::string::npos);
  EXPECT_NE(errors(R"("series": "x_total", "increases_by": {})").find("`increases_by` takes"),
            std::string::npos);
  EXPECT_NE(
      errors(R"("series": "x{a=\"b\"}", "increases_by": {"min": 1})").find("`series` is a metric's name"),
      std::string::npos);
}

}  // namespace
}  // namespace breakwire::checks
