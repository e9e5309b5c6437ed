// What gRPC and W3C trace context say in fields: grpc-timeout, traceparent, grpc-status, grpc-message. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/duration.h"
#include "base/http_status.h"
#include "base/status_code.h"
#include "faults/metadata.h"

namespace breakwire::http2 {

/// grpc-timeout (doc/PROTOCOL-HTTP2.md): 1 to 8 digits and one of H M S m u n. Nothing when malformed, which
/// C-core takes for "no deadline".
std::optional<Duration> parse_grpc_timeout(std::string_view value);

/// A traceparent (w3c/trace-context §3.2): lower-case hex. Version ff and all-zero ids are invalid; of higher
/// versions the first 55 characters are read.
struct TraceParent {
  std::string trace_id;   // 32 digits
  std::string parent_id;  // 16 digits
  bool operator==(const TraceParent&) const = default;
};
std::optional<TraceParent> parse_traceparent(std::string_view value);

/// grpc-message: percent-encoded UTF-8. Decoding never fails, what is no escape stays as it is.
std::string percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);

/// ":status", or 0 when it is missing or no number.
int http_status_of(const faults::Metadata& fields);
/// How a call ended by these trailers (or Trailers-Only fields). Without grpc-status, `http_status` decides;
/// a grpc-status that is no code is UNKNOWN.
StatusCode status_of(const faults::Metadata& trailers, int http_status);

/// True for "application/grpc" and "application/grpc+proto" and the like.
bool is_grpc(const faults::Metadata& fields);
/// A non-negative decimal number, or 0.
unsigned parse_attempts(std::string_view value);

/// grpc-retry-pushback-ms (gRFC A6): milliseconds until the next attempt; -1 when it is negative or no
/// number, which means not to retry. Nothing when there is none.
std::optional<int> pushback_of(const faults::Metadata& trailers);

/// What the relay answers in the upstream's place: Trailers-Only, or trailers when a response has begun.
faults::Metadata status_fields(bool trailers_only, StatusCode code, const std::string& message,
                               const faults::Metadata& more);

}  // namespace breakwire::http2
