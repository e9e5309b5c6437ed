#include "harness/scenario/texts.h"

#include <charconv>

#include "harness/scenario/paths.h"

namespace breakwire {
namespace scenario {

bool is_id(std::string_view text) {
  if (text.empty() || !std::isalnum(static_cast<unsigned char>(text.front()))) return false;
  // A trailing dash would make `a->b` of an edge ambiguous.
  if (text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

std::string resolved(const FilePath& path) {
  if (path.text.empty() || path.text.starts_with("${") || !path.span.source) return path.text;
  return beside(path.span.source->file, path.text);
}

namespace {

bool refuse(const json::Value& value, std::string what, std::string hint, ErrorList& errors) {
  errors.push_back(json::error_at(value.span, std::move(what), std::move(hint)));
  return false;
}

/// "pkg.Service/Method"; `extra` are further characters that may occur.
bool is_method(std::string_view text, std::string_view extra) {
  const size_t slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](unsigned char c) {
                       return std::isalnum(c) || c == '_' || c == '.' || c == '/' ||
                              extra.find(static_cast<char>(c)) != std::string_view::npos;
                     }) &&
         text.find('/', slash + 1) == std::string_view::npos;
}

bool read_method(const json::Value& value, std::string& out, std::string_view extra, ErrorList& errors) {
  if (!described::read_text(value, "a method as a string", out, errors)) return false;
  if (is_method(out, extra)) return true;
  if (out.starts_with('/') && is_method(std::string_view(out).substr(1), extra))
    return refuse(value, "a method has no leading slash", "write `" + out.substr(1) + "`", errors);
  return refuse(value, "`" + out + "` is not a method", "methods are written pkg.Service/Method", errors);
}

json::Value text_schema(const char* pattern) {
  return json::object({{"type", "string"}, {"pattern", pattern}});
}

}  // namespace
}  // namespace scenario

using namespace scenario;

bool Codec<Name>::read(const json::Value& value, Name& out, ErrorList& errors) {
  out.span = value.span;
  return described::read_text(value, "a name as a string", out.text, errors);
}
json::Value Codec<Name>::schema() { return Codec<std::string>::schema(); }
std::string Codec<Name>::type() { return "name"; }
std::string Codec<Name>::show(const Name& value) { return value.text; }

bool Codec<Id>::read(const json::Value& value, Id& out, ErrorList& errors) {
  out.span = value.span;
  if (!described::read_text(value, "a name as a string", out.text, errors)) return false;
  if (is_id(out.text)) return true;
  return refuse(value, "`" + out.text + "` cannot be a name here",
                "names are letters, digits, `_` and inner `-`", errors);
}
json::Value Codec<Id>::schema() { return text_schema("^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9_])?$|\\$\\{"); }
std::string Codec<Id>::type() { return "name"; }
std::string Codec<Id>::show(const Id& value) { return value.text; }

bool Codec<MethodName>::read(const json::Value& value, MethodName& out, ErrorList& errors) {
  return read_method(value, out.text, "", errors);
}
json::Value Codec<MethodName>::schema() { return text_schema("^[A-Za-z0-9_.]+/[A-Za-z0-9_]+$|\\$\\{"); }
std::string Codec<MethodName>::type() { return "method"; }
std::string Codec<MethodName>::show(const MethodName& value) { return value.text; }

bool Codec<MethodPattern>::read(const json::Value& value, MethodPattern& out, ErrorList& errors) {
  if (value.is(json::Kind::string) && value.text.find('*') != std::string::npos &&
      value.text.find('/') == std::string::npos) {
    out.text = value.text;  // "*" and "shop.*" stand for the slash too
    return true;
  }
  return read_method(value, out.text, "*", errors);
}
json::Value Codec<MethodPattern>::schema() {
  return text_schema("^[A-Za-z0-9_.*]+/[A-Za-z0-9_*]+$|^[A-Za-z0-9_.]*[*][A-Za-z0-9_.*]*$|\\$\\{");
}
std::string Codec<MethodPattern>::type() { return "method pattern"; }
std::string Codec<MethodPattern>::show(const MethodPattern& value) { return value.text; }

bool Codec<PortChoice>::read(const json::Value& value, PortChoice& out, ErrorList& errors) {
  out.span = value.span;
  if (value.is(json::Kind::string) && value.text == "any") {
    out.number.reset();
    return true;
  }
  if (!value.is(json::Kind::number))
    return refuse(value, "this is not a port", "a number from 1 to 65535, or \"any\" for one that is free",
                  errors);
  double number = 0;
  if (!described::read_integer(value, 1, 65535, number, errors)) return false;
  out.number = static_cast<uint16_t>(number);
  return true;
}
json::Value Codec<PortChoice>::schema() {
  json::Value number = json::object({{"type", "integer"}, {"minimum", 1}, {"maximum", 65535}});
  return json::object({{"anyOf", json::array({std::move(number), json::object({{"const", "any"}})})}});
}
std::string Codec<PortChoice>::type() { return "port number or \"any\""; }
std::string Codec<PortChoice>::show(const PortChoice& value) {
  return value.number ? std::to_string(*value.number) : "any";
}

bool Codec<HostPort>::read(const json::Value& value, HostPort& out, ErrorList& errors) {
  out.span = value.span;
  std::string text;
  if (!described::read_text(value, "host:port as a string", text, errors)) return false;
  const size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  unsigned port = 0;
  bool good = colon != std::string::npos && !host.empty() &&
              (bracketed || host.find_first_of(":/ []") == std::string::npos);
  if (good) {
    auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    good = error == std::errc{} && end == text.data() + text.size() && port > 0 && port < 65536;
  }
  if (!good) return refuse(value, "`" + text + "` is not host:port", "such as \"127.0.0.1:50051\"", errors);
  out.host = bracketed ? host.substr(1, host.size() - 2) : host;
  out.port = static_cast<uint16_t>(port);
  return true;
}
json::Value Codec<HostPort>::schema() { return text_schema("^.+:[0-9]{1,5}$|\\$\\{"); }
std::string Codec<HostPort>::type() { return "host:port"; }
std::string Codec<HostPort>::show(const HostPort& value) {
  return value.host.empty() ? "" : value.host + ":" + std::to_string(value.port);
}

bool Codec<FilePath>::read(const json::Value& value, FilePath& out, ErrorList& errors) {
  out.span = value.span;
  if (!described::read_text(value, "a path as a string", out.text, errors)) return false;
  return !out.text.empty() || refuse(value, "the path is empty", "", errors);
}
json::Value Codec<FilePath>::schema() { return json::object({{"type", "string"}, {"minLength", 1}}); }
std::string Codec<FilePath>::type() { return "path"; }
std::string Codec<FilePath>::show(const FilePath& value) { return value.text; }

bool Codec<Reason>::read(const json::Value& value, Reason& out, ErrorList& errors) {
  if (!described::read_text(value, "the reason as a string", out.text, errors)) return false;
  if (out.text.find_first_not_of(" \t\n") != std::string::npos) return true;
  return refuse(value, "the reason is empty", "say why: it stands in the report", errors);
}
json::Value Codec<Reason>::schema() { return text_schema("[^ \\t\\n]"); }
std::string Codec<Reason>::type() { return "reason"; }
std::string Codec<Reason>::show(const Reason& value) { return value.text; }

bool Codec<Length>::read(const json::Value& value, Length& out, ErrorList& errors) {
  Duration time{};
  if (!Codec<Duration>::read(value, time, errors)) return false;
  if (time <= 0ns) return refuse(value, "this must be longer than nothing", "", errors);
  out.time = time;
  return true;
}
json::Value Codec<Length>::schema() { return Codec<Duration>::schema(); }
std::string Codec<Length>::type() { return "duration"; }
std::string Codec<Length>::show(const Length& value) { return to_text(value.time); }

bool Codec<Count>::read(const json::Value& value, Count& out, ErrorList& errors) {
  double number = 0;
  if (!described::read_integer(value, 1, 1'000'000'000, number, errors)) return false;
  out.value = static_cast<uint64_t>(number);
  return true;
}
json::Value Codec<Count>::schema() { return json::object({{"type", "integer"}, {"minimum", 1}}); }
std::string Codec<Count>::type() { return "integer"; }
std::string Codec<Count>::show(const Count& value) { return std::to_string(value.value); }

namespace {
using By = history::Correlate::By;
const std::vector<std::pair<std::string, By>>& correlations() {
  static const std::vector<std::pair<std::string, By>> all{{"auto", By::automatic},
                                                           {"attempts_header", By::attempts_header},
                                                           {"trace", By::trace},
                                                           {"serial", By::serial}};
  return all;
}
}  // namespace

bool Codec<history::Correlate>::read(const json::Value& value, history::Correlate& out, ErrorList& errors) {
  if (value.is(json::Kind::string) && value.text.starts_with("metadata:")) {
    out = {By::metadata, value.text.substr(9)};
    return !out.key.empty() ||
           refuse(value, "`metadata:` lacks its key", "such as metadata:x-request-id", errors);
  }
  std::vector<std::string> names;
  for (const auto& [name, by] : correlations()) names.push_back(name);
  names.push_back("metadata:<key>");
  const auto index = described::read_name(value, type(), names, errors);
  if (index && *index < correlations().size()) out = {correlations()[*index].second, {}};
  return index.has_value();
}
json::Value Codec<history::Correlate>::schema() {
  return text_schema("^(auto|attempts_header|trace|serial|metadata:.+)$|\\$\\{");
}
std::string Codec<history::Correlate>::type() { return "way to correlate"; }
std::string Codec<history::Correlate>::show(const history::Correlate& value) {
  for (const auto& [name, by] : correlations()) {
    if (by == value.by) return name;
  }
  return "metadata:" + value.key;
}

const std::vector<std::pair<std::string, EdgeProtocol>>& EnumNames<EdgeProtocol>::names() {
  static const std::vector<std::pair<std::string, EdgeProtocol>> all{{"auto", EdgeProtocol::detect},
                                                                     {"tcp", EdgeProtocol::tcp}};
  return all;
}
const std::vector<std::pair<std::string, LoadModel>>& EnumNames<LoadModel>::names() {
  static const std::vector<std::pair<std::string, LoadModel>> all{{"open", LoadModel::open},
                                                                  {"closed", LoadModel::closed}};
  return all;
}

}  // namespace breakwire
