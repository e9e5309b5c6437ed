#include "harness/checks/names.h"

namespace breakwire {

const std::vector<std::pair<std::string, checks::Probe>>& EnumNames<checks::Probe>::names() {
  static const std::vector<std::pair<std::string, checks::Probe>> all{{"readiness", checks::Probe::readiness},
                                                                      {"liveness", checks::Probe::liveness},
                                                                      {"server", checks::Probe::server}};
  return all;
}

const std::vector<std::pair<std::string, history::HealthStatus>>& EnumNames<history::HealthStatus>::names() {
  using history::HealthStatus;
  static const auto all = [] {
    std::vector<std::pair<std::string, HealthStatus>> names;
    for (const auto status : {HealthStatus::serving, HealthStatus::not_serving, HealthStatus::unknown,
                              HealthStatus::service_unknown, HealthStatus::unreachable})
      names.emplace_back(history::to_text(status), status);
    return names;
  }();
  return all;
}

namespace checks {

std::string_view to_text(Probe probe) {
  for (const auto& [name, value] : EnumNames<Probe>::names()) {
    if (value == probe) return name;
  }
  return "";
}

std::string health_name(Probe probe, const ServiceId& service, const history::Setup& setup) {
  const history::ServiceSetup* found = setup.service(service);
  return (found ? *found : history::ServiceSetup{}).health_name(to_text(probe));
}

}  // namespace checks
}  // namespace breakwire
