#include "harness/run/watching.h"

#include <map>
#include <set>
#include <string>

#include "harness/watch/health.h"
#include "harness/watch/log.h"
#include "harness/watch/metrics.h"
#include "harness/watch/resources.h"

namespace breakwire::run {

Watching::Watching(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder)
    : scenario_(scenario), setup_(setup_of(scenario)), topology_(topology), recorder_(recorder) {
  poll_health();
  watch_resources();
  follow_logs();
  scrape_metrics();
}

void Watching::catch_up() {
  const Instant now = std::chrono::steady_clock::now();
  for (const auto& watcher : watchers_) watcher->catch_up(now, now + 1s);
}

std::vector<std::string> Watching::notes() const {
  std::vector<std::string> notes;
  for (const auto& watcher : watchers_) {
    if (std::string note = watcher->note(); !note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

/// Everybody whose health somebody asks about, or who is known to answer.
void Watching::poll_health() {
  std::map<ServiceId, std::set<std::string>> names;
  const auto wish = [&](const ServiceId& id, const std::string& probe) {
    if (const auto* service = setup_.service(id)) names[id].insert(service->health_name(probe));
  };
  for (const auto& service : scenario_.services) {
    const auto* run = std::get_if<scenario::RunCommand>(&service.what);
    if (!run || !run->ready.grpc_health) continue;
    wish(service.id, "liveness");
    wish(service.id, "readiness");
  }
  for (const auto& wished : wishes<checks::HealthWish>(scenario_)) wish(wished.service, wished.name);
  for (const auto& entry : scenario_.timeline) {
    const auto* when = std::get_if<scenario::When>(&entry.trigger);
    if (const auto* health = when ? std::get_if<scenario::WhenHealth>(when) : nullptr)
      wish(health->service, health->name);
  }
  for (const auto& [service, asked] : names) {
    watchers_.push_back(watch::poll_health({.service = service,
                                            .target = topology_.control_target_of(service),
                                            .names = {asked.begin(), asked.end()}},
                                           recorder_));
  }
}

void Watching::watch_resources() {
  std::set<ServiceId> wished;
  for (const auto& wish : wishes<checks::ResourceWish>(scenario_)) wished.insert(wish.service);
  std::vector<watch::ResourceSubject> subjects;
  for (const auto& id : wished) {
    const auto found = topology_.services().find(id);
    if (found == topology_.services().end()) continue;  // not started by breakwire: the check says so
    subjects.push_back({.service = id, .pid = [service = found->second.get()] { return service->pid(); }});
  }
  if (!subjects.empty()) watchers_.push_back(watch::watch_resources(std::move(subjects), recorder_));
}

void Watching::follow_logs() {
  std::set<ServiceId> wished;
  for (const auto& wish : wishes<checks::LogWish>(scenario_)) wished.insert(wish.service);
  for (const auto& id : wished) {
    const auto& service = *scenario_.service(id);
    if (!service.log) continue;  // refused when the file was read
    const scenario::LogMapping& log = *service.log;
    watchers_.push_back(watch::follow_log({.service = id,
                                           .path = log.path.empty() ? topology_.services().at(id)->log_path()
                                                                    : topology_.filled_in(service, log.path),
                                           .fields = {.only = log.only,
                                                      .service = log.service,
                                                      .method = log.method,
                                                      .code = log.code,
                                                      .duration_ms = log.duration_ms,
                                                      .duration_s = log.duration_s,
                                                      .trace_id = log.trace_id}},
                                          recorder_));
  }
}

void Watching::scrape_metrics() {
  std::map<ServiceId, std::vector<history::Series>> wished;
  for (const auto& wish : wishes<checks::MetricWish>(scenario_)) {
    std::string_view text = wish.series;
    if (auto series = history::read_series(text)) wished[wish.service].push_back(std::move(*series));
  }
  for (const auto& [id, series] : wished) {
    const auto& service = *scenario_.service(id);
    if (!service.metrics) continue;  // refused when the file was read
    watchers_.push_back(watch::scrape_metrics(
        {.service = id, .url = topology_.filled_in(service, *service.metrics), .wished = series}, recorder_));
  }
}

}  // namespace breakwire::run
