#include "harness/checks/backoff_schedule.h"

#include <algorithm>
#include <cmath>

namespace breakwire::checks {
namespace {

Duration scaled(Duration duration, double by) {
  return Duration(static_cast<int64_t>(static_cast<double>(duration.count()) * by));
}

}  // namespace

WaitRange BackoffSchedule::before_retry(unsigned retry) const {
  const double grown = static_cast<double>(initial.count()) * std::pow(multiplier, retry - 1);
  const auto most = static_cast<double>(max.value_or(24h).count());
  const Duration nominal(static_cast<int64_t>(std::min(grown, most)));
  switch (profile) {
    case BackoffProfile::grpc_before_2024:
      return {Duration::zero(), nominal, jitter > 0};
    case BackoffProfile::ccore_1_51:
      if (retry == 1) return {nominal, nominal};
      [[fallthrough]];
    case BackoffProfile::grpc_current:
      return {scaled(nominal, 1 - jitter), scaled(nominal, 1 + jitter), jitter > 0};
  }
  return {};
}

}  // namespace breakwire::checks

namespace breakwire {

const std::vector<std::pair<std::string, checks::BackoffProfile>>&
EnumNames<checks::BackoffProfile>::names() {
  using checks::BackoffProfile;
  static const std::vector<std::pair<std::string, BackoffProfile>> all{
      {"grpc-current", BackoffProfile::grpc_current},
      {"ccore-1.51", BackoffProfile::ccore_1_51},
      {"grpc-before-2024", BackoffProfile::grpc_before_2024}};
  return all;
}

}  // namespace breakwire
