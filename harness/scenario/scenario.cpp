#include "harness/scenario/scenario.h"

namespace breakwire::scenario {

bool TimelineEntry::instant() const {
  using faults::Lifetime;
  return kind->lifetime == Lifetime::instant || (kind->lifetime == Lifetime::optional_span && !length);
}

std::string Scenario::id() const {
  std::string text = name;
  if (!variant.empty()) text += "[" + variant + "]";
  if (twin) text += "~" + twin->name;
  return text;
}

const Service* Scenario::service(const ServiceId& id) const {
  for (const Service& service : services) {
    if (service.id == id) return &service;
  }
  return nullptr;
}

const Edge* Scenario::edge(const EdgeId& id) const {
  for (const Edge& edge : edges) {
    if (edge.id == id) return &edge;
  }
  return nullptr;
}

namespace {

/// Services whose health somebody asks for: a check, or a `when`.
std::set<ServiceId> polled(const Scenario& scenario) {
  std::set<ServiceId> services;
  for (const Expectation& expectation : scenario.expect) {
    for (const auto& wish : expectation.spec.check->wishes()) {
      if (const auto* health = std::get_if<checks::HealthWish>(&wish)) services.insert(health->service);
    }
  }
  for (const TimelineEntry& entry : scenario.timeline) {
    const When* when = std::get_if<When>(&entry.trigger);
    const WhenHealth* health = when ? std::get_if<WhenHealth>(when) : nullptr;
    if (health) services.insert(health->service);
  }
  return services;
}

history::FaultSetup fault_setup(const TimelineEntry& entry) {
  return {.id = entry.id,
          .kind = entry.kind->name,
          .on = entry.on,
          .process = entry.kind->fault_class == faults::FaultClass::process,
          .call = entry.kind->fault_class == faults::FaultClass::call,
          .instant = entry.instant(),
          .must_fire = entry.must_fire,
          .must_find_in_flight = entry.must_find_in_flight};
}

}  // namespace

history::Setup setup_of(const Scenario& scenario) {
  history::Setup setup;
  setup.scenario = scenario.id();
  setup.seed = scenario.seed;
  setup.baseline = scenario.baseline;
  setup.baseline_min_samples = scenario.baseline_min_samples;
  const std::set<ServiceId> health = polled(scenario);
  for (const Service& service : scenario.services) {
    setup.services.push_back({.id = service.id,
                              .postgres = std::holds_alternative<PostgresService>(service.what),
                              .external = std::holds_alternative<External>(service.what),
                              .health = health.contains(service.id),
                              .liveness = service.liveness,
                              .readiness = service.readiness});
  }
  for (const Edge& edge : scenario.edges) {
    setup.edges.push_back({.id = edge.id,
                           .from = edge.from,
                           .to = edge.to,
                           .correlate = edge.correlate,
                           .grpc = edge.protocol != EdgeProtocol::tcp,
                           .control = false});
  }
  for (const Load& load : scenario.loads) {
    setup.loads.push_back({.id = load.id,
                           .via = load.via,
                           .method = load.method,
                           .deadline = load.deadline,
                           .stopped_after = load.command.empty() ? std::nullopt : load.length,
                           .baseline_status = load.baseline_status});
  }
  for (const TimelineEntry& entry : scenario.timeline) setup.faults.push_back(fault_setup(entry));
  return setup;
}

}  // namespace breakwire::scenario
