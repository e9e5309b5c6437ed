#include "base/described.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace breakwire {
namespace described {

bool wrong_kind(const json::Value& value, std::string_view wanted, ErrorList& errors) {
  errors.push_back(json::error_at(
      value.span, "expected " + std::string(wanted) + ", found " + std::string(json::to_text(value.kind))));
  return false;
}

bool read_text(const json::Value& value, std::string_view what, std::string& out, ErrorList& errors) {
  if (value.kind != json::Kind::string) return wrong_kind(value, what, errors);
  out = value.text;
  return true;
}

bool read_integer(const json::Value& value, int64_t low, uint64_t high, double& out, ErrorList& errors) {
  if (value.kind != json::Kind::number) return wrong_kind(value, "a whole number", errors);
  out = value.number;
  if (out == std::floor(out) && out >= static_cast<double>(low) && out <= static_cast<double>(high))
    return true;
  errors.push_back(json::error_at(value.span, "`" + value.text + "` is not a whole number from " +
                                                  std::to_string(low) + " to " + std::to_string(high)));
  return false;
}

std::optional<size_t> read_name(const json::Value& value, std::string_view what,
                                const std::vector<std::string>& names, ErrorList& errors) {
  if (value.kind != json::Kind::string) {
    wrong_kind(value, std::string(what) + " as a string", errors);
    return std::nullopt;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == value.text) return i;
  }
  errors.push_back(json::error_at(value.span, "unknown " + std::string(what) + " `" + value.text + "`",
                                  did_you_mean(value.text, names)));
  return std::nullopt;
}

json::Value name_schema(const std::vector<std::string>& names) {
  return json::object({{"type", "string"}, {"enum", json::strings(names)}});
}

bool only_known(const json::Value& object, const std::vector<std::string>& known, ErrorList& errors) {
  bool good = true;
  for (const auto& member : object.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    errors.push_back(
        json::error_at(member.key_span, "unknown key `" + member.key + "`", did_you_mean(member.key, known)));
    good = false;
  }
  return good;
}

json::Value object_schema(const std::vector<FieldInfo>& fields) {
  json::Value properties = json::object();
  json::Value required = json::array();
  for (const auto& field : fields) {
    json::Value schema = field.schema;
    if (!field.doc.empty()) schema.set("description", field.doc);
    properties.set(field.name, std::move(schema));
    if (field.required) required.push(field.name);
  }
  json::Value schema = json::object({{"type", "object"}, {"properties", std::move(properties)}});
  if (!required.items.empty()) schema.set("required", std::move(required));
  schema.set("additionalProperties", false);
  return schema;
}

namespace {

json::Value pattern_schema(const std::string& pattern) {
  return json::object({{"type", "string"}, {"pattern", pattern}});
}

/// A number followed by one of the units' names.
std::optional<std::pair<double, std::string>> number_and_unit(const std::string& text) {
  double number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || !std::isfinite(number)) return std::nullopt;
  return std::pair{number, std::string(rest, text.data() + text.size())};
}

std::string plain(double number) { return json::Value(number).text; }

bool bad_text(const json::Value& value, std::string_view what, std::string hint, ErrorList& errors) {
  if (value.kind == json::Kind::number) {
    errors.push_back(
        json::error_at(value.span, "a bare number is not " + std::string(what), std::move(hint)));
  } else if (value.kind == json::Kind::string) {
    errors.push_back(
        json::error_at(value.span, "`" + value.text + "` is not " + std::string(what), std::move(hint)));
  } else {
    wrong_kind(value, what, errors);
  }
  return false;
}

template <class Integer>
bool read_as(const json::Value& value, Integer& out, int64_t low, uint64_t high, ErrorList& errors) {
  double number = 0;
  if (!read_integer(value, low, high, number, errors)) return false;
  out = static_cast<Integer>(number);
  return true;
}

}  // namespace
}  // namespace described

using namespace described;

std::string to_text(const CountOrPercent& amount) {
  return amount.percent ? plain(*amount.percent) + "%" : std::to_string(amount.count.value_or(0));
}

bool Codec<bool>::read(const json::Value& value, bool& out, ErrorList& errors) {
  if (value.kind != json::Kind::boolean) return wrong_kind(value, "true or false", errors);
  out = value.boolean;
  return true;
}
json::Value Codec<bool>::schema() { return json::object({{"type", "boolean"}}); }
std::string Codec<bool>::type() { return "boolean"; }
std::string Codec<bool>::show(const bool& value) { return value ? "true" : "false"; }

bool Codec<int>::read(const json::Value& value, int& out, ErrorList& errors) {
  return read_as(value, out, std::numeric_limits<int>::min(), std::numeric_limits<int>::max(), errors);
}
json::Value Codec<int>::schema() { return json::object({{"type", "integer"}}); }
std::string Codec<int>::type() { return "integer"; }
std::string Codec<int>::show(const int& value) { return std::to_string(value); }

bool Codec<unsigned>::read(const json::Value& value, unsigned& out, ErrorList& errors) {
  return read_as(value, out, 0, std::numeric_limits<unsigned>::max(), errors);
}
json::Value Codec<unsigned>::schema() { return json::object({{"type", "integer"}, {"minimum", 0}}); }
std::string Codec<unsigned>::type() { return "integer"; }
std::string Codec<unsigned>::show(const unsigned& value) { return std::to_string(value); }

bool Codec<uint64_t>::read(const json::Value& value, uint64_t& out, ErrorList& errors) {
  return read_as(value, out, 0, uint64_t{1} << 53, errors);
}
json::Value Codec<uint64_t>::schema() { return json::object({{"type", "integer"}, {"minimum", 0}}); }
std::string Codec<uint64_t>::type() { return "integer"; }
std::string Codec<uint64_t>::show(const uint64_t& value) { return std::to_string(value); }

bool Codec<double>::read(const json::Value& value, double& out, ErrorList& errors) {
  if (value.kind != json::Kind::number) return wrong_kind(value, "a number", errors);
  out = value.number;
  return true;
}
json::Value Codec<double>::schema() { return json::object({{"type", "number"}}); }
std::string Codec<double>::type() { return "number"; }
std::string Codec<double>::show(const double& value) { return plain(value); }

bool Codec<std::string>::read(const json::Value& value, std::string& out, ErrorList& errors) {
  return read_text(value, "a string", out, errors);
}
json::Value Codec<std::string>::schema() { return json::object({{"type", "string"}}); }
std::string Codec<std::string>::type() { return "string"; }
std::string Codec<std::string>::show(const std::string& value) { return value; }

bool Codec<Duration>::read(const json::Value& value, Duration& out, ErrorList& errors) {
  if (value.kind == json::Kind::string) {
    if (auto duration = parse_duration(value.text)) {
      out = *duration;
      return true;
    }
  }
  return bad_text(value, "a duration", "durations are text with a unit: \"250ms\", \"1.5s\", \"2m\"", errors);
}
json::Value Codec<Duration>::schema() {
  return pattern_schema("^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$|\\$\\{");
}
std::string Codec<Duration>::type() { return "duration"; }
std::string Codec<Duration>::show(const Duration& value) { return breakwire::to_text(value); }

bool Codec<Percent>::read(const json::Value& value, Percent& out, ErrorList& errors) {
  if (value.kind == json::Kind::string) {
    if (auto parts = number_and_unit(value.text); parts && parts->second == "%" && parts->first <= 100) {
      out.value = parts->first;
      return true;
    }
  }
  return bad_text(value, "a percentage from 0% to 100%", "write it as text with its sign: \"10%\"", errors);
}
json::Value Codec<Percent>::schema() { return pattern_schema("^[0-9]+(\\.[0-9]+)?%$|\\$\\{"); }
std::string Codec<Percent>::type() { return "percentage"; }
std::string Codec<Percent>::show(const Percent& value) { return plain(value.value) + "%"; }

bool Codec<Rate>::read(const json::Value& value, Rate& out, ErrorList& errors) {
  if (value.kind == json::Kind::string) {
    if (auto parts = number_and_unit(value.text); parts && parts->first > 0) {
      const double seconds = parts->second == "/s"   ? 1
                             : parts->second == "/m" ? 60
                             : parts->second == "/h" ? 3600
                                                     : 0;
      if (seconds > 0) {
        out.per_second = parts->first / seconds;
        return true;
      }
    }
  }
  return bad_text(value, "a rate", "rates are text with a unit: \"50/s\", \"120/m\"", errors);
}
json::Value Codec<Rate>::schema() { return pattern_schema("^[0-9]+(\\.[0-9]+)?/(s|m|h)$|\\$\\{"); }
std::string Codec<Rate>::type() { return "rate"; }
std::string Codec<Rate>::show(const Rate& value) { return plain(value.per_second) + "/s"; }

bool Codec<ByteSize>::read(const json::Value& value, ByteSize& out, ErrorList& errors) {
  static const std::map<std::string, double> units{
      {"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
  if (value.kind == json::Kind::string) {
    if (auto parts = number_and_unit(value.text)) {
      const auto unit = units.find(parts->second);
      const double bytes = unit == units.end() ? -1 : parts->first * unit->second;
      if (bytes >= 0 && bytes <= 0x1p53 && bytes == std::floor(bytes)) {
        out.bytes = static_cast<uint64_t>(bytes);
        return true;
      }
    }
  }
  return bad_text(value, "a size", "sizes are text with a unit: \"500B\", \"64KiB\", \"1MiB\"", errors);
}
json::Value Codec<ByteSize>::schema() {
  return pattern_schema("^[0-9]+(\\.[0-9]+)?(B|kB|MB|GB|KiB|MiB|GiB)$|\\$\\{");
}
std::string Codec<ByteSize>::type() { return "size"; }
std::string Codec<ByteSize>::show(const ByteSize& value) {
  static const std::vector<std::pair<uint64_t, std::string>> units{{1u << 30, "GiB"}, {1'000'000'000, "GB"},
                                                                   {1u << 20, "MiB"}, {1'000'000, "MB"},
                                                                   {1024, "KiB"},     {1000, "kB"}};
  for (const auto& [size, name] : units) {
    if (value.bytes != 0 && value.bytes % size == 0) return std::to_string(value.bytes / size) + name;
  }
  return std::to_string(value.bytes) + "B";
}

bool Codec<CountOrPercent>::read(const json::Value& value, CountOrPercent& out, ErrorList& errors) {
  if (value.kind == json::Kind::number) {
    double number = 0;
    if (!read_integer(value, 0, uint64_t{1} << 53, number, errors)) return false;
    out = {.count = static_cast<uint64_t>(number), .percent = std::nullopt};
    return true;
  }
  Percent percent;
  if (!Codec<Percent>::read(value, percent, errors)) return false;
  out = {.count = std::nullopt, .percent = percent.value};
  return true;
}
json::Value Codec<CountOrPercent>::schema() {
  return json::object({{"anyOf", json::array({json::object({{"type", "integer"}, {"minimum", 0}}),
                                              Codec<Percent>::schema()})}});
}
std::string Codec<CountOrPercent>::type() { return "count or percentage"; }
std::string Codec<CountOrPercent>::show(const CountOrPercent& value) { return breakwire::to_text(value); }

bool Codec<StatusCode>::read(const json::Value& value, StatusCode& out, ErrorList& errors) {
  const auto index = read_name(value, "gRPC status code", status_code_names(), errors);
  if (index) out = static_cast<StatusCode>(*index);
  return index.has_value();
}
json::Value Codec<StatusCode>::schema() { return name_schema(status_code_names()); }
std::string Codec<StatusCode>::type() { return "status code"; }
std::string Codec<StatusCode>::show(const StatusCode& value) {
  return std::string(breakwire::to_text(value));
}

bool Codec<Http2Error>::read(const json::Value& value, Http2Error& out, ErrorList& errors) {
  const auto index = read_name(value, "HTTP/2 error code", http2_error_names(), errors);
  if (index) out = static_cast<Http2Error>(*index);
  return index.has_value();
}
json::Value Codec<Http2Error>::schema() { return name_schema(http2_error_names()); }
std::string Codec<Http2Error>::type() { return "HTTP/2 error code"; }
std::string Codec<Http2Error>::show(const Http2Error& value) { return breakwire::to_text(value); }

bool Codec<json::Value>::read(const json::Value& value, json::Value& out, ErrorList&) {
  out = value;
  return true;
}
json::Value Codec<json::Value>::schema() { return json::object(); }
std::string Codec<json::Value>::type() { return "JSON"; }
std::string Codec<json::Value>::show(const json::Value&) { return ""; }

}  // namespace breakwire
