#include "services/kit/call_log.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace breakwire::kit {
namespace {

std::string timestamp(std::chrono::system_clock::time_point when) {
  auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  std::time_t seconds = since_epoch / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ", static_cast<int>(since_epoch % 1000));
  return text.data();
}

}  // namespace

std::string code_name(int code) {
  static constexpr std::array<const char*, 17> names{
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  if (code < 0 || code >= static_cast<int>(names.size())) return std::to_string(code);
  return names[static_cast<size_t>(code)];
}

std::string to_json_line(const std::string& service, const CallRecord& record) {
  nlohmann::ordered_json line;
  line["ts"] = timestamp(record.began);
  line["service"] = service;
  line["side"] = record.side == Side::server ? "server" : "client";
  line["method"] = record.method;
  line["peer"] = record.peer;
  line["code"] = code_name(record.code);
  if (!record.message.empty()) line["message"] = record.message;
  line["duration_ms"] = static_cast<double>(record.duration.count()) / 1000.0;
  if (record.deadline_left) line["deadline_left_ms"] = record.deadline_left->count();
  if (record.attempt) line["attempt"] = *record.attempt;
  line["trace_id"] = record.span.trace_id;
  line["span_id"] = record.span.span_id;
  if (!record.span.parent_id.empty()) line["parent_id"] = record.span.parent_id;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace breakwire::kit
