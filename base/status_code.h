// gRPC status codes and HTTP/2 error codes by name. Pure; no gRPC library behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwire {

/// gRPC status codes, grpc/grpc doc/statuscodes.md.
enum class StatusCode : uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

/// "UNAVAILABLE"; codes go by their official upper-case names in files and reports.
std::string_view to_text(StatusCode code);
std::optional<StatusCode> parse_status_code(std::string_view name);
/// nullopt for numbers outside 0..16; a client reports such as UNKNOWN.
std::optional<StatusCode> status_code_from(int64_t number);
const std::vector<std::string>& status_code_names();

/// HTTP/2 error codes, RFC 9113 §7. Values outside the list are kept as they are.
enum class Http2Error : uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  flow_control_error = 3,
  settings_timeout = 4,
  stream_closed = 5,
  frame_size_error = 6,
  refused_stream = 7,
  cancel = 8,
  compression_error = 9,
  connect_error = 10,
  enhance_your_calm = 11,
  inadequate_security = 12,
  http_1_1_required = 13,
};
std::string to_text(Http2Error code);
std::optional<Http2Error> parse_http2_error(std::string_view name);
const std::vector<std::string>& http2_error_names();

}  // namespace breakwire
