// Bytes, times and statuses to and from gRPC's types. Touches nothing.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <string>

#include "base/duration.h"
#include "base/status_code.h"

namespace breakwire::load {

inline grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

inline std::string bytes_of(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.Valid() || !buffer.DumpToSingleSlice(&slice).ok()) return {};
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

/// gRPC's monotonic clock is CLOCK_MONOTONIC, as steady_clock is.
inline gpr_timespec grpc_time(Instant instant) {
  return gpr_time_from_nanos(std::chrono::duration_cast<Duration>(instant.time_since_epoch()).count(),
                             GPR_CLOCK_MONOTONIC);
}

/// Numbers outside 0..16, which no library should give, are UNKNOWN.
inline StatusCode code_of(const grpc::Status& status) {
  return status_code_from(status.error_code()).value_or(StatusCode::unknown);
}

/// "UNAVAILABLE: Socket closed".
inline std::string sentence_of(const grpc::Status& status) {
  const std::string code(to_text(code_of(status)));
  return status.error_message().empty() ? code : code + ": " + status.error_message();
}

}  // namespace breakwire::load
