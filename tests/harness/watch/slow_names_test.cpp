// A scraper whose service's name takes long to look up. In a program of its own: it stands in for the C
// library's getaddrinfo.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <latch>
#include <string_view>

#include "harness/watch/metrics.h"
#include "tests/harness/load/recording_sink.h"
#include "tests/harness/watch/http_server.h"

namespace {

std::latch answered{1};
std::atomic<int> lookups = 0;

}  // namespace

/// Of "slow.test" it says nothing before `answered`, and then that it is 127.0.0.1.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || std::string_view(node) != "slow.test") return real(node, service, hints, found);
  lookups.fetch_add(1);
  answered.wait();
  return real("127.0.0.1", service, hints, found);
}

namespace breakwire::watch {
namespace {

using history::MetricsSeen;

TEST(SlowNamesTest, ALookUpIsBoundedByTheTimeoutAndNotMadeTwice) {
  HttpServer server(HttpServer::ok("x_total 1\n"));
  RecordingSink sink;
  const auto scraper = scrape_metrics({.service = {"orders"},
                                       .url = "http://slow.test:" + std::to_string(server.port()) + "/",
                                       .wished = {{"x_total", {}}},
                                       .period = 10ms,
                                       .timeout = 50ms},
                                      sink);
  const bool told = sink.wait_for_count<MetricsSeen>(3);
  answered.count_down();
  EXPECT_TRUE(told) << "while nobody knew the address";
  for (const auto& seen : sink.all<MetricsSeen>()) {
    if (seen.error.empty()) break;
    EXPECT_EQ(seen.error, "no answer in time");
  }
  EXPECT_TRUE(
      sink.wait([](const auto& events) { return std::get<MetricsSeen>(events.back().what).error.empty(); }));
  EXPECT_EQ(lookups, 1);
  EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace breakwire::watch
