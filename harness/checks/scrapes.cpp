#include "harness/checks/scrapes.h"

#include <algorithm>

#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using history::MetricsSeen;

/// How far from an edge of the window a scrape may be that stands for it.
constexpr Duration most_distant = 1s;

/// When the service's processes began.
std::vector<Instant> starts_of(const ServiceId& service, const history::History& history) {
  std::vector<Instant> starts;
  history::each<history::ProcessStarted>(history, [&](const auto& event, const auto& started) {
    if (started.service == service) starts.push_back(event.at);
  });
  return starts;
}

double value_in(const Scrape& scrape, const std::string& key) {
  const auto found = scrape.values.find(key);
  return found == scrape.values.end() ? 0 : found->second;
}

}  // namespace

Scrapes scrapes_of(const ServiceId& service, const history::Series& wished, const history::History& history) {
  Scrapes scrapes{.service = service, .all = {}, .starts = starts_of(service, history), .last_error = {}};
  history::each<MetricsSeen>(history, [&](const history::Event& event, const MetricsSeen& seen) {
    if (seen.service != service) return;
    if (!seen.error.empty()) {
      ++scrapes.failed;
      scrapes.last_error = seen.error;
      return;
    }
    Scrape scrape{.asked = seen.asked, .at = event.at, .event = event.number, .values = {}};
    for (const auto& sample : seen.samples) {
      std::string_view text = sample.series;
      const auto read = history::read_series(text);
      if (!read || !history::selects(wished, *read)) continue;
      scrape.values[to_text(*read)] = sample.value;
      scrapes.appeared = true;
    }
    scrapes.all.push_back(std::move(scrape));
  });
  return scrapes;
}

std::variant<Change, std::string> change_in(const Scrapes& scrapes, const history::Window& window) {
  const auto& all = scrapes.all;
  const std::string errors = scrapes.failed == 0 ? ""
                                                 : "; " + counted(scrapes.failed, "scrape") +
                                                       " failed, the last: " + scrapes.last_error;
  if (all.empty())
    return scrapes.service.text + " could not be scraped" + (errors.empty() ? ": nobody did" : errors);
  Change change;
  change.to = all.size() - 1;
  for (size_t i = 0; i < all.size() && all[i].at <= window.begin; ++i) change.from = i;
  for (size_t i = all.size(); i-- > 0 && all[i].asked >= window.end;) change.to = i;
  const Scrape& first = all[change.from];
  const Scrape& last = all[change.to];
  if (first.at > window.begin + most_distant)
    return "the first scrape was " + brief(first.at - window.begin) + " after the window's begin" + errors;
  if (window.begin > first.asked + most_distant + count_lag)
    return "the last scrape before the window was " + brief(window.begin - first.asked) + " before it" +
           errors;
  if (window.end > last.asked + most_distant)
    return "the last scrape was " + brief(window.end - last.asked) + " before the window's end" + errors;
  if (last.asked > window.end + most_distant)
    return "the first scrape after the window was " + brief(last.asked - window.end) + " after it" + errors;
  if (change.from >= change.to) return "there is one scrape only in the window" + errors;
  for (size_t i = change.from + 1; i <= change.to; ++i) {
    // A new process counts from 0; it may have come as far as the old one, or never have counted anything.
    const bool restarted = std::any_of(scrapes.starts.begin(), scrapes.starts.end(), [&](Instant start) {
      return all[i - 1].at < start && start <= all[i].at;
    });
    bool fell = false;
    for (const auto& [key, value] : all[i].values) {
      const double before = restarted ? 0 : value_in(all[i - 1], key);
      fell = fell || value < before;
      change.by += value < before ? value : value - before;
    }
    for (const auto& [key, value] : all[i - 1].values)
      fell = fell || (value > 0 && !all[i].values.contains(key));
    if (fell || restarted) change.resets.push_back(i);
  }
  return change;
}

}  // namespace breakwire::checks
