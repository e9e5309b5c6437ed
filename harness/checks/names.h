// The names under which files know the enums of checks. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/described.h"
#include "harness/history/event.h"
#include "harness/history/setup.h"

namespace breakwire::checks {

/// Which of a service's health names is meant; what it is called there is the service's set-up.
enum class Probe { readiness, liveness, server };
std::string_view to_text(Probe probe);
/// The name to ask for: the service's own, or the default when the set-up does not know the service. "" asks
/// for the whole server (grpc.health.v1).
std::string health_name(Probe probe, const ServiceId& service, const history::Setup& setup);

}  // namespace breakwire::checks

namespace breakwire {

template <>
struct EnumNames<checks::Probe> {
  static std::string type() { return "health probe"; }
  static const std::vector<std::pair<std::string, checks::Probe>>& names();
};
template <>
struct EnumNames<history::HealthStatus> {
  static std::string type() { return "health status"; }
  static const std::vector<std::pair<std::string, history::HealthStatus>>& names();
};

}  // namespace breakwire
