#include "harness/watch/log_line.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace breakwire::watch {
namespace {

using Json = nlohmann::json;

const Json* find(const Json& object, const std::string& name) {
  if (name.empty() || !object.is_object()) return nullptr;
  if (const auto found = object.find(name); found != object.end()) return &*found;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    const auto outer = object.find(name.substr(0, dot));
    if (outer == object.end()) continue;
    if (const Json* inner = find(*outer, name.substr(dot + 1))) return inner;
  }
  return nullptr;
}

/// A text as it is, anything else as JSON writes it; "" for what is not there.
std::string text_of(const Json* value) {
  if (value == nullptr || value->is_null()) return "";
  if (value->is_string()) return value->get<std::string>();
  return value->dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Duration> duration_of(const Json* value, double unit_ms) {
  if (value == nullptr) return std::nullopt;
  double number = 0;
  if (value->is_number()) {
    number = value->get<double>();
  } else if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
    static const std::map<std::string_view, double> units{{"ns", 1e-6}, {"us", 1e-3}, {"µs", 1e-3},
                                                          {"ms", 1},    {"s", 1000},  {"m", 60'000}};
    if (!unit.empty()) {
      const auto known = units.find(unit);
      if (known == units.end()) return std::nullopt;
      unit_ms = known->second;
    }
  } else {
    return std::nullopt;
  }
  constexpr double most_ms = 1e12;  // some 30 years: still fits into a Duration
  if (!std::isfinite(number) || std::abs(number * unit_ms) > most_ms) return std::nullopt;
  return Duration(static_cast<int64_t>(number * unit_ms * 1e6));
}

std::string trace_id_of(std::string text) {
  if (text.size() == 55 && text[2] == '-' && text[35] == '-') text = text.substr(3, 32);
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text.find_first_not_of('0') == std::string::npos ? "" : text;
}

}  // namespace

LogLine read_log_line(std::string_view line, const LogFields& fields) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return {};
  LogLine read{.json = true, .record = std::nullopt};
  for (const auto& [name, wanted] : fields.only) {
    const Json* value = find(object, name);
    if (value == nullptr || text_of(value) != wanted) return read;
  }
  history::LogSeen record;
  record.method = text_of(find(object, fields.method));
  if (record.method.empty()) return read;
  if (record.method.starts_with('/')) record.method.erase(0, 1);
  if (const std::string service = text_of(find(object, fields.service));
      !service.empty() && record.method.find('/') == std::string::npos)
    record.method = service + "/" + record.method;
  record.code = text_of(find(object, fields.code));
  record.status = status_in_any_spelling(record.code);
  record.duration = fields.duration_s.empty() ? duration_of(find(object, fields.duration_ms), 1)
                                              : duration_of(find(object, fields.duration_s), 1000);
  record.trace_id = trace_id_of(text_of(find(object, fields.trace_id)));
  read.record = std::move(record);
  return read;
}

std::optional<StatusCode> status_in_any_spelling(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return status_code_from(number);
  const auto bare = [](std::string_view name) {
    std::string letters;
    for (const char c : name) {
      if (c != '_' && c != ' ') letters += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return letters;
  };
  std::string wanted = bare(text);
  if (wanted.starts_with("STATUSCODE.")) wanted.erase(0, 11);  // as Python prints its enum
  if (wanted == "CANCELED") wanted = "CANCELLED";
  for (const auto& name : status_code_names()) {
    if (bare(name) == wanted) return parse_status_code(name);
  }
  return std::nullopt;
}

}  // namespace breakwire::watch
