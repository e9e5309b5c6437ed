// Scraping: the text format, and a scraper at real HTTP servers that answer well, badly, late and not at all.
#include "harness/watch/metrics.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "harness/watch/exposition.h"
#include "tests/harness/load/recording_sink.h"
#include "tests/harness/watch/http_server.h"

namespace breakwire::watch {
namespace {

using history::MetricsSeen;
using history::Series;
using Clock = std::chrono::steady_clock;
using Samples = std::vector<MetricsSeen::Sample>;

const std::string text =
    "# HELP x_total what it counts\n# TYPE x_total counter\n"
    "x_total{code=\"OK\"} 3\nx_total{code=\"Unavailable\",} 1e3 1395066363000\n"
    "x_total_other 9\n\n  y +Inf\ny{a=\"b\"} NaN\nz_bucket{le=\"+Inf\"} 12 # {trace_id=\"1\"} 0.5\r\n# EOF";

TEST(ExpositionTest, KeepsTheSeriesThatAreWishedFor) {
  const auto read = read_exposition(text, {{"x_total", {}}, {"z_bucket", {{"le", "*"}}}});
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.samples, (Samples{{"x_total{code=\"OK\"}", 3},
                                   {"x_total{code=\"Unavailable\",}", 1000},
                                   {"z_bucket{le=\"+Inf\"}", 12}}));
  EXPECT_EQ(read_exposition(text, {{"x_total", {{"code", "OK"}}}}).samples.size(), 1u);
}

TEST(ExpositionTest, LeavesOutWhatIsNoFiniteNumber) {
  EXPECT_EQ(read_exposition(text, {{"y", {}}}).samples, Samples{});
  EXPECT_EQ(read_exposition("y 1e999\n", {{"y", {}}}).samples, Samples{});
}

TEST(ExpositionTest, OneLineThatCannotBeReadMakesAllOfItAnError) {
  const auto html = read_exposition("<html>\n", {{"x", {}}});
  EXPECT_EQ(html.error, "line 1 is no Prometheus text: <html>");
  const auto late = read_exposition("x 1\n\nx one\n", {{"x", {}}});
  EXPECT_EQ(late.error, "line 3 is no Prometheus text: x one");
  EXPECT_EQ(late.samples, Samples{});
  EXPECT_NE(read_exposition("x", {}).error, "");
}

TEST(ExpositionTest, SlipsInATextBreakNothing) {
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    std::string slipped = text;
    for (uint64_t slip = 1 + rng.next() % 4; slip > 0 && !slipped.empty(); --slip) {
      const size_t at = rng.next() % slipped.size();
      switch (rng.next() % 3) {
        case 0:
          slipped.erase(at, rng.next() % 8);
          break;
        case 1:
          slipped[at] = static_cast<char>(rng.next());
          break;
        default:
          slipped.insert(at, slipped.substr(rng.next() % slipped.size(), rng.next() % 8));
      }
    }
    const auto read = read_exposition(slipped, {{"x_total", {}}});
    EXPECT_TRUE(read.error.empty() || read.samples.empty());
  }
}

TEST(HttpUrlTest, IsTakenApart) {
  EXPECT_EQ(parse_http_url("http://127.0.0.1:8080/metrics?x=y"),
            (HttpUrl{"127.0.0.1", "8080", "/metrics?x=y"}));
  EXPECT_EQ(parse_http_url("http://localhost"), (HttpUrl{"localhost", "80", "/"}));
  EXPECT_EQ(parse_http_url("http://[::1]:80?x"), (HttpUrl{"::1", "80", "/?x"}));
  for (const char* wrong : {"", "https://x/", "http://", "http://:80/", "http://x:/", "http://x:99999/",
                            "http://x:a/", "http://[::1", "http://[::1]x/"})
    EXPECT_EQ(parse_http_url(wrong), std::nullopt) << wrong;
}

MetricsOptions options_for(const std::string& url) {
  return {.service = {"orders"}, .url = url, .wished = {{"x_total", {}}}, .period = 10ms, .timeout = 2s};
}

bool sees(const RecordingSink& sink, const std::function<bool(const MetricsSeen&)>& is_it) {
  const Instant now = Clock::now();
  return sink.wait([&](const auto& events) {
    for (const auto& event : events) {
      const auto* seen = std::get_if<MetricsSeen>(&event.what);
      if (seen && seen->asked >= now && is_it(*seen)) return true;
    }
    return false;
  });
}
auto says(double value) {
  return [value](const MetricsSeen& seen) { return seen.samples == Samples{{"x_total", value}}; };
}
auto fails(const std::string& error) {
  return [error](const MetricsSeen& seen) { return seen.error == error && seen.samples.empty(); };
}

TEST(ScraperTest, RecordsWhatTheServiceSaysOverOneConnection) {
  HttpServer server(HttpServer::ok("x_total 1\ny 2\n"));
  RecordingSink sink;
  const auto scraper = scrape_metrics(options_for(server.url()), sink);
  EXPECT_TRUE(sees(sink, says(1)));
  server.answer(HttpServer::ok("x_total 2\n"));
  EXPECT_TRUE(sees(sink, says(2)));
  ASSERT_TRUE(sink.wait_for_count<MetricsSeen>(10));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_TRUE(server.last_request().starts_with("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:"))
      << server.last_request();
  Instant before{};
  for (const auto& event : sink.events()) {
    const auto& seen = std::get<MetricsSeen>(event.what);
    EXPECT_EQ(seen.service.text, "orders");
    EXPECT_LE(seen.asked, event.at);
    EXPECT_GE(seen.asked, before);
    before = event.at;
  }
}

TEST(ScraperTest, ReadsChunkedAnswersAndOnesThatEndWithTheConnection) {
  HttpServer server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nx_total \r\n2\r\n7\n\r\n0\r\n\r\n");
  RecordingSink sink;
  const auto scraper = scrape_metrics(options_for(server.url()), sink);
  EXPECT_TRUE(sees(sink, says(7)));
  server.answer("HTTP/1.0 200 OK\r\n\r\nx_total 8\n", true);
  EXPECT_TRUE(sees(sink, says(8)));
  server.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nx_total 9\n", true);
  EXPECT_TRUE(sees(sink, says(9)));
}

TEST(ScraperTest, SaysWhyThereIsNothing) {
  HttpServer server("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  RecordingSink sink;
  const auto scraper = scrape_metrics(options_for(server.url()), sink);
  EXPECT_TRUE(sees(sink, fails("HTTP 503 from " + server.url())));
  server.answer(HttpServer::ok("<html>oh</html>"));
  EXPECT_TRUE(sees(sink, fails("line 1 is no Prometheus text: <html>oh</html>")));
  server.answer("nonsense\r\n\r\n", true);
  EXPECT_TRUE(
      sees(sink, [](const MetricsSeen& seen) { return !seen.error.empty() && seen.samples.empty(); }));
  server.answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_TRUE(sees(sink, fails("the answer is longer than 16 MiB")));
  server.answer(HttpServer::ok("x_total 3\n"));
  EXPECT_TRUE(sees(sink, says(3)));
}

TEST(ScraperTest, FollowsAServiceThroughARestart) {
  auto server = std::make_unique<HttpServer>(HttpServer::ok("x_total 5\n"));
  const int port = server->port();
  RecordingSink sink;
  const auto scraper = scrape_metrics(options_for(server->url()), sink);
  EXPECT_TRUE(sees(sink, says(5)));
  server.reset();
  EXPECT_TRUE(sees(sink, fails("connection refused")));
  server = std::make_unique<HttpServer>(HttpServer::ok("x_total 0\n"), port);
  EXPECT_TRUE(sees(sink, says(0)));
}

TEST(ScraperTest, AServiceThatNeverAnswersIsAnErrorInTime) {
  HttpServer server("");
  RecordingSink sink;
  auto options = options_for(server.url());
  options.timeout = 50ms;
  const auto scraper = scrape_metrics(options, sink);
  EXPECT_TRUE(sees(sink, fails("no answer in time")));
  for (const auto& event : sink.events()) {
    const auto& seen = std::get<MetricsSeen>(event.what);
    EXPECT_GE(event.at - seen.asked, 49ms);
    EXPECT_LT(event.at - seen.asked, 1s);
  }
}

TEST(ScraperTest, CatchesUpWithAScrapeThatBeginsAfterwards) {
  HttpServer server(HttpServer::ok("x_total 1\n"));
  RecordingSink sink;
  auto options = options_for(server.url());
  options.period = 1h;
  const auto scraper = scrape_metrics(options, sink);
  EXPECT_TRUE(sink.wait_for_count<MetricsSeen>(1));
  server.answer(HttpServer::ok("x_total 2\n"));
  const Instant called = Clock::now();
  scraper->catch_up(called, called + 10s);
  const auto all = sink.all<MetricsSeen>();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_GE(all[1].asked, called);
  EXPECT_TRUE(says(2)(all[1]));
}

TEST(ScraperTest, EndsAtOnceWhileAServiceIsSilent) {
  HttpServer server("");
  RecordingSink sink;
  auto options = options_for(server.url());
  options.timeout = 1h;
  auto scraper = scrape_metrics(options, sink);
  const Instant before = Clock::now();
  scraper->catch_up(before, before + 20ms);
  scraper.reset();
  EXPECT_LT(Clock::now() - before, 5s);
  EXPECT_TRUE(sink.events().empty());
}

TEST(ScraperTest, WhatIsNoUrlIsAnErrorToo) {
  RecordingSink sink;
  const auto scraper = scrape_metrics(options_for("http://:x"), sink);
  EXPECT_TRUE(sees(sink, fails("`http://:x` is no http:// URL")));
}

}  // namespace
}  // namespace breakwire::watch
