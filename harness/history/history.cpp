#include "harness/history/history.h"

namespace breakwire::history {

Instant History::zero() const {
  for (const auto& event : events_) {
    const auto* phase = std::get_if<PhaseBegan>(&event.what);
    if (phase && phase->phase != Phase::setup) return event.at;
  }
  return events_.empty() ? Instant{} : events_.front().at;
}

Instant History::last() const {
  // Threads record in their own time: the last number need not carry the latest time.
  Instant latest{};
  for (const auto& event : events_) latest = std::max(latest, event.at);
  return latest;
}

std::string_view to_text(HealthStatus status) {
  switch (status) {
    case HealthStatus::serving:
      return "SERVING";
    case HealthStatus::not_serving:
      return "NOT_SERVING";
    case HealthStatus::unknown:
      return "UNKNOWN";
    case HealthStatus::service_unknown:
      return "SERVICE_UNKNOWN";
    case HealthStatus::unreachable:
      return "UNREACHABLE";
  }
  return "";
}

std::optional<HealthStatus> parse_health_status(std::string_view name) {
  for (const auto status : {HealthStatus::serving, HealthStatus::not_serving, HealthStatus::unknown,
                            HealthStatus::service_unknown, HealthStatus::unreachable}) {
    if (to_text(status) == name) return status;
  }
  return std::nullopt;
}

}  // namespace breakwire::history
