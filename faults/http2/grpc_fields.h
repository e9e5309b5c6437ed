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

/// A non-negative decimal number, or 0.
unsigned parse_attempts(std::string_view value);
/// The value of ":status": 0 when it is missing or no number.
int parse_http_status(std::optional<std::string_view> value);
/// The value of grpc-status. Without one, `http_status` decides; what is no code is UNKNOWN.
StatusCode parse_grpc_status(std::optional<std::string_view> value, int http_status);
/// The value of content-type: true for "application/grpc" and "application/grpc+proto" and the like.
bool is_grpc_type(std::optional<std::string_view> value);
/// The value of grpc-retry-pushback-ms (gRFC A6): milliseconds until the next attempt; -1 when it is negative
/// or no number, which means not to retry. Nothing when there is none.
std::optional<int> parse_pushback(std::optional<std::string_view> value);

// The same, of fields in whatever form: faults::Metadata or FieldSection.

template <class Fields>
int http_status_of(const Fields& fields) {
  return parse_http_status(value_of(fields, ":status"));
}
/// How a call ended by these trailers (or Trailers-Only fields).
template <class Fields>
StatusCode status_of(const Fields& trailers, int http_status) {
  return parse_grpc_status(value_of(trailers, "grpc-status"), http_status);
}
template <class Fields>
bool is_grpc(const Fields& fields) {
  return is_grpc_type(value_of(fields, "content-type"));
}
template <class Fields>
std::optional<int> pushback_of(const Fields& trailers) {
  return parse_pushback(value_of(trailers, "grpc-retry-pushback-ms"));
}

/// What the relay answers in the upstream's place: Trailers-Only, or trailers when a response has begun.
faults::Metadata status_fields(bool trailers_only, StatusCode code, const std::string& message,
                               const faults::Metadata& more);

}  // namespace breakwire::http2
