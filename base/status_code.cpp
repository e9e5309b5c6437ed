#include "base/status_code.h"

namespace breakwire {

const std::vector<std::string>& status_code_names() {
  static const std::vector<std::string> names{
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return names;
}

std::string_view to_text(StatusCode code) { return status_code_names()[static_cast<size_t>(code)]; }

std::optional<StatusCode> parse_status_code(std::string_view name) {
  const auto& names = status_code_names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<StatusCode>(i);
  }
  return std::nullopt;
}

std::optional<StatusCode> status_code_from(int64_t number) {
  if (number < 0 || number > 16) return std::nullopt;
  return static_cast<StatusCode>(number);
}

const std::vector<std::string>& http2_error_names() {
  static const std::vector<std::string> names{"NO_ERROR",
                                              "PROTOCOL_ERROR",
                                              "INTERNAL_ERROR",
                                              "FLOW_CONTROL_ERROR",
                                              "SETTINGS_TIMEOUT",
                                              "STREAM_CLOSED",
                                              "FRAME_SIZE_ERROR",
                                              "REFUSED_STREAM",
                                              "CANCEL",
                                              "COMPRESSION_ERROR",
                                              "CONNECT_ERROR",
                                              "ENHANCE_YOUR_CALM",
                                              "INADEQUATE_SECURITY",
                                              "HTTP_1_1_REQUIRED"};
  return names;
}

std::string to_text(Http2Error code) {
  const auto& names = http2_error_names();
  const auto number = static_cast<uint32_t>(code);
  return number < names.size() ? names[number] : "error " + std::to_string(number);
}

std::optional<Http2Error> parse_http2_error(std::string_view name) {
  const auto& names = http2_error_names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Http2Error>(i);
  }
  return std::nullopt;
}

}  // namespace breakwire
