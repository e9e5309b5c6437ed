// The two messages of grpc.health.v1 that a Check needs, by hand: no generated copy that could collide with
// the services' own in one process. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace breakwire::watch {

/// HealthCheckRequest { string service = 1; }
std::string health_request(std::string_view service);

/// The number in HealthCheckResponse { ServingStatus status = 1; }, 0 when it is left out; unknown fields are
/// skipped, of several the last counts. nullopt: not a message.
std::optional<uint64_t> health_status(std::string_view response);

}  // namespace breakwire::watch
