// Scrapes a service's Prometheus metrics over plain HTTP and records MetricsSeen.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/history/series.h"
#include "harness/watch/watcher.h"

namespace breakwire::watch {

struct MetricsOptions {
  ServiceId service;
  std::string url;                      // http://host[:port]/path
  std::vector<history::Series> wished;  // only these are recorded
  Duration period = 100ms;              // from the begin of one scrape to that of the next
  Duration timeout = 500ms;             // of one scrape; without an answer by then it is an error
};

/// The first scrape begins at once. Each is recorded, with the time at which its answer was there, or with
/// why there was none. Over one connection as long as the service keeps it open. An answer may have 16 MiB.
std::unique_ptr<Watcher> scrape_metrics(MetricsOptions options, history::Sink& sink);

struct HttpUrl {
  std::string host, port, target;  // "127.0.0.1", "8080", "/metrics?x=y"
  bool operator==(const HttpUrl&) const = default;
};
/// nullopt for what is no http:// URL; an IPv6 address stands in brackets, without them in the result.
std::optional<HttpUrl> parse_http_url(std::string_view url);

}  // namespace breakwire::watch
