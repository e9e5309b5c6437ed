// How long a client may wait before each retry, by what is known of its library. Pure; for the check backoff.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/described.h"
#include "base/duration.h"

namespace breakwire::checks {

/// What is known of how a client's library waits; sources in backoff.cpp.
enum class BackoffProfile {
  grpc_current,      // nominal ± jitter (gRFC A6 since grpc/proposal#452)
  ccore_1_51,        // the first retry exactly nominal, further ones ± jitter
  grpc_before_2024,  // anything from nothing to nominal
};

/// The waits that are allowed before one retry.
struct WaitRange {
  Duration low{}, high{};
  bool random = false;  // else `low` is `high`
};

struct BackoffSchedule {
  Duration initial{};
  double multiplier = 2;
  std::optional<Duration> max;
  double jitter = 0.2;  // a share of the nominal wait, 0..1
  BackoffProfile profile = BackoffProfile::grpc_current;

  /// Before retry `retry`, from 1: min(initial × multiplier^(retry-1), max), and what the profile makes of
  /// it.
  WaitRange before_retry(unsigned retry) const;
};

}  // namespace breakwire::checks

namespace breakwire {

template <>
struct EnumNames<checks::BackoffProfile> {
  static std::string type() { return "backoff profile"; }
  static const std::vector<std::pair<std::string, checks::BackoffProfile>>& names();
};

}  // namespace breakwire
