// Prometheus' text exposition format, as far as a scrape needs it. Pure.
// https://prometheus.io/docs/instrumenting/exposition_formats/ (0.0.4); OpenMetrics' extras are skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/history/event.h"
#include "harness/history/series.h"

namespace breakwire::watch {

struct Exposition {
  std::vector<history::MetricsSeen::Sample> samples;  // those wished for, in the order of the text
  std::string error;  // "line 3 is no Prometheus text: <html>"; then no samples
};

/// Every sample that one of `wished` selects; values that are no finite number are left out. One line that
/// cannot be read makes all of it an error, as it does for Prometheus.
Exposition read_exposition(std::string_view text, const std::vector<history::Series>& wished);

}  // namespace breakwire::watch
