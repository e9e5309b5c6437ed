#include "harness/run/watching.h"

#include <map>
#include <set>
#include <string>

#include "harness/watch/health.h"
#include "harness/watch/resources.h"

namespace breakwire::run {

Watching::Watching(const scenario::Scenario& scenario, const Topology& topology, Recorder& recorder)
    : scenario_(scenario), setup_(setup_of(scenario)), topology_(topology), recorder_(recorder) {
  poll_health();
  watch_resources();
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

}  // namespace breakwire::run
