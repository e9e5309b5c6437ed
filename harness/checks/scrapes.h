// What was scraped of a service's metrics, and by how much it moved in a window. Pure.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "harness/history/history.h"
#include "harness/history/series.h"
#include "harness/history/window.h"

namespace breakwire::checks {

/// A service may count a call so much earlier or later than the wire shows its end.
inline constexpr Duration count_lag = 100ms;

/// One scrape that had an answer: what the wished series stood at, at some moment from `asked` to `at`.
struct Scrape {
  Instant asked, at;
  EventNumber event;
  std::map<std::string, double> values;
};

/// What was read of the service.
struct Scrapes {
  ServiceId service;
  std::vector<Scrape> all;
  std::vector<Instant> starts;  // of its processes
  bool appeared = false;
  uint64_t failed = 0;
  std::string last_error;
};
Scrapes scrapes_of(const ServiceId& service, const history::Series& wished, const history::History& history);

/// What it moved by from one scrape to another.
struct Change {
  size_t from = 0, to = 0;  // scrapes
  double by = 0;
  std::vector<size_t>
      resets;  // scrapes of a process begun since the one before, or with a lower value than it
};
/// From the last scrape that was over when the window began to the first that began when it was over; or why
/// that cannot be said.
std::variant<Change, std::string> change_in(const Scrapes& scrapes, const history::Window& window);

}  // namespace breakwire::checks
