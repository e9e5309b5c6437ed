#include "harness/history/ndjson.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <set>
#include <vector>

#include "base/json.h"
#include "harness/history/ndjson_fields.h"

namespace breakwire::history {
namespace {

template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;
template <class T>
constexpr bool is_vector = false;
template <class T>
constexpr bool is_vector<std::vector<T>> = true;
template <class T>
constexpr bool is_name = false;
template <class Tag>
constexpr bool is_name<NameId<Tag>> = true;
template <class T>
constexpr bool is_number = false;
template <class Tag>
constexpr bool is_number<NumberId<Tag>> = true;
template <class T>
constexpr bool is_time = std::is_same_v<T, Instant> || std::is_same_v<T, Duration>;
template <class T>
constexpr bool is_time<std::optional<T>> = is_time<T>;

template <class T>
std::string key_of(std::string_view key) {
  return std::string(key) + (is_time<T> ? "_ns" : "");
}

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) -> unsigned {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    const unsigned lead = byte(i);
    const size_t more = lead < 0x80         ? 0
                        : (lead >> 5) == 6  ? 1
                        : (lead >> 4) == 14 ? 2
                        : (lead >> 3) == 30 ? 3
                                            : 4;
    if (more == 4) return false;
    unsigned point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (size_t k = 1; k <= more; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
      point = point << 6 | (byte(i + k) & 0x3F);
    }
    constexpr std::array<unsigned, 4> least{0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

json::Value text_value(const std::string& text) {
  if (is_utf8(text)) return text;
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return json::object({{"hex", hex}});
}

std::optional<std::string> text_of(const json::Value& value) {
  if (value.is(json::Kind::string)) return value.text;
  const json::Value* hex = value.find("hex");
  if (!hex || hex->text.size() % 2 != 0) return std::nullopt;
  std::string text;
  for (size_t i = 0; i < hex->text.size(); i += 2) {
    unsigned byte = 0;
    const char* begin = hex->text.data() + i;
    if (std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) return std::nullopt;
    text += static_cast<char>(byte);
  }
  return text;
}

class Writer {
 public:
  Writer(json::Value& object, Instant zero) : object_(object), zero_(zero) {}

  void operator()(std::string_view, const faults::FrameTimes& times) {
    (*this)("received", times.received);
    (*this)("forwarded", times.forwarded);
  }
  template <class T>
  void operator()(std::string_view key, const T& value) {
    if constexpr (is_optional<T>) {
      if (value) (*this)(key, *value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!value.empty()) object_.members.push_back({std::string(key), {}, text_value(value)});
    } else if constexpr (is_name<T>) {
      (*this)(key, value.text);
    } else {
      object_.members.push_back({key_of<T>(key), {}, value_of(value)});
    }
  }

 private:
  template <class T>
  json::Value value_of(const T& value) {
    if constexpr (std::is_same_v<T, Instant>) {
      return static_cast<int64_t>(Duration(value - zero_).count());
    } else if constexpr (std::is_same_v<T, Duration>) {
      return static_cast<int64_t>(value.count());
    } else if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_same_v<T, std::string>) {
      return text_value(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      // JSON has no NaN and no infinities; a counter has neither, a gauge may.
      return std::isfinite(value) ? json::Value(value) : json::Value(std::to_string(value));
    } else if constexpr (is_number<T>) {
      return value.value;
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      return static_cast<int64_t>(value);
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<uint64_t>(value);
    } else if constexpr (std::is_same_v<T, StatusCode>) {
      return breakwire::to_text(value);
    } else if constexpr (std::is_same_v<T, Http2Error>) {
      const bool named = static_cast<size_t>(value) < http2_error_names().size();
      return named ? json::Value(breakwire::to_text(value)) : json::Value(static_cast<uint64_t>(value));
    } else if constexpr (std::is_enum_v<T>) {
      return stored::Names<T>::all.at(static_cast<size_t>(value));
    } else if constexpr (std::is_same_v<T, std::set<StatusCode>>) {
      json::Value list = json::array();
      for (const StatusCode code : value) list.push(value_of(code));
      return list;
    } else if constexpr (is_vector<T>) {
      json::Value list = json::array();
      for (const auto& item : value) list.push(value_of(item));
      return list;
    } else {
      json::Value object = json::object();
      Writer writer(object, zero_);
      T copy = value;  // one list of fields serves reading too, and so takes what it can write to
      stored::fields(writer, copy);
      return object;
    }
  }

  json::Value& object_;
  Instant zero_;
};

/// What is absent keeps its default; what is of the wrong kind is remembered in `wrong`.
class Reader {
 public:
  Reader(const json::Value& object, Instant zero, std::string& wrong)
      : object_(object), zero_(zero), wrong_(wrong) {}

  void operator()(std::string_view, faults::FrameTimes& times) {
    (*this)("received", times.received);
    (*this)("forwarded", times.forwarded);
  }
  template <class T>
  void operator()(std::string_view key, T& value) {
    const std::string name = key_of<T>(key);
    const json::Value* found = object_.find(name);
    if constexpr (std::is_same_v<T, std::string> || is_name<T>) {
      if (!found) value = {};  // empty text is left out, also where the default is not empty
    }
    if (found && !read(*found, value) && wrong_.empty()) wrong_ = "`" + name + "` cannot be read";
  }

 private:
  template <class T>
  static bool read_integer(const json::Value& from, T& value) {
    if (!from.is(json::Kind::number)) return false;
    const char* end = from.text.data() + from.text.size();
    const auto [rest, error] = std::from_chars(from.text.data(), end, value);
    return error == std::errc{} && rest == end;
  }
  template <class T>
  bool read(const json::Value& from, T& value) {
    if constexpr (is_optional<T>) {
      return read(from, value.emplace());
    } else if constexpr (std::is_same_v<T, std::string>) {
      const auto text = text_of(from);
      if (text) value = *text;
      return text.has_value();
    } else if constexpr (is_name<T>) {
      return read(from, value.text);
    } else if constexpr (std::is_same_v<T, Instant>) {
      int64_t ns = 0;
      const bool good = read_integer(from, ns);
      value = zero_ + Duration(ns);
      return good;
    } else if constexpr (std::is_same_v<T, Duration>) {
      int64_t ns = 0;
      const bool good = read_integer(from, ns);
      value = Duration(ns);
      return good;
    } else if constexpr (std::is_same_v<T, bool>) {
      value = from.boolean;
      return from.is(json::Kind::boolean);
    } else if constexpr (is_number<T>) {
      return read_integer(from, value.value);
    } else if constexpr (std::is_integral_v<T>) {
      return read_integer(from, value);
    } else if constexpr (std::is_floating_point_v<T>) {
      value = from.is(json::Kind::string) ? std::strtod(from.text.c_str(), nullptr) : from.number;
      return from.is(json::Kind::number) || from.is(json::Kind::string);
    } else if constexpr (std::is_same_v<T, StatusCode>) {
      const auto code = parse_status_code(from.text);
      if (code) value = *code;
      return code.has_value();
    } else if constexpr (std::is_same_v<T, Http2Error>) {
      uint32_t number = 0;
      auto code = parse_http2_error(from.text);
      if (!code && read_integer(from, number)) code = static_cast<Http2Error>(number);
      if (code) value = *code;
      return code.has_value();
    } else if constexpr (std::is_enum_v<T>) {
      const auto& names = stored::Names<T>::all;
      const auto name = std::find(names.begin(), names.end(), from.text);
      if (name == names.end()) return false;
      value = static_cast<T>(name - names.begin());
      return true;
    } else if constexpr (std::is_same_v<T, std::set<StatusCode>>) {
      value.clear();
      for (const auto& item : from.items) {
        StatusCode code{};
        if (!read(item, code)) return false;
        value.insert(code);
      }
      return from.is(json::Kind::array);
    } else if constexpr (is_vector<T>) {
      for (const auto& item : from.items) {
        if (!read(item, value.emplace_back())) return false;
      }
      return from.is(json::Kind::array);
    } else {
      Reader reader(from, zero_, wrong_);
      stored::fields(reader, value);
      return from.is(json::Kind::object);
    }
  }

  const json::Value& object_;
  Instant zero_;
  std::string& wrong_;
};

/// The payload whose type has this index, read from the object.
template <size_t I = 0>
Payload read_payload(size_t index, Reader& reader) {
  if constexpr (I < std::variant_size_v<Payload>) {
    if (index != I) return read_payload<I + 1>(index, reader);
    std::variant_alternative_t<I, Payload> what{};
    stored::fields(reader, what);
    return what;
  } else {
    return PhaseBegan{};
  }
}

}  // namespace

std::string_view type_name(const Payload& what) { return stored::type_names.at(what.index()); }

std::string_view to_text(Phase phase) { return stored::Names<Phase>::all.at(static_cast<size_t>(phase)); }

std::string to_ndjson_header(const Setup& setup, Instant zero) {
  json::Value line = json::object({{"type", "history"}, {"version", 1}});
  line.set("zero_ns", static_cast<int64_t>(Duration(zero.time_since_epoch()).count()));
  Writer writer(line, zero);
  Setup copy = setup;
  stored::fields(writer, copy);
  return json::write_line(line);
}

std::string to_ndjson_line(const Event& event, Instant zero) {
  json::Value line = json::object();
  Writer writer(line, zero);
  writer("number", event.number);
  writer("t", event.at);
  line.members.push_back({"type", {}, type_name(event.what)});
  std::visit([&](auto what) { stored::fields(writer, what); }, event.what);
  return json::write_line(line);
}

Result<History> read_ndjson(std::string_view text, const std::string& file) {
  ErrorList errors;
  size_t line_number = 0;
  const auto wrong_line = [&](std::string what, std::string hint = {}) {
    errors.push_back({.what = std::move(what),
                      .where = {.file = file, .line = line_number, .column = 1, .offset = 0, .length = 1},
                      .hint = std::move(hint),
                      .source_line = {},
                      .also = {}});
  };
  std::optional<History> history;
  Instant zero{};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++line_number;
    if (line.empty()) continue;
    const auto parsed = json::parse(std::string(line), file);
    if (!parsed) {
      wrong_line(parsed.errors().front().what);
      continue;
    }
    std::string wrong;
    const json::Value* type = parsed->find("type");
    if (!history) {
      const json::Value* version = parsed->find("version");
      if (!type || type->text != "history" || !version || version->text != "1") {
        wrong_line("this is not a history of version 1",
                   "its first line is {\"type\": \"history\", \"version\": 1, …}");
        return errors;
      }
      Reader(*parsed, Instant{}, wrong)("zero", zero);
      Setup setup;
      Reader reader(*parsed, zero, wrong);
      stored::fields(reader, setup);
      history.emplace(std::move(setup));
    } else {
      const auto& names = stored::type_names;
      const auto name = type ? std::find(names.begin(), names.end(), type->text) : names.end();
      if (name == names.end()) {
        wrong_line("unknown event type" + (type ? " `" + type->text + "`" : std::string()));
        continue;
      }
      Reader reader(*parsed, zero, wrong);
      EventNumber number;
      Instant at{};
      reader("number", number);
      reader("t", at);
      Payload what = read_payload(static_cast<size_t>(name - names.begin()), reader);
      if (history->append(at, std::move(what)) != number && wrong.empty() && errors.empty())
        wrong = "its number is not the one after the line before: lines are missing or out of order";
    }
    if (!wrong.empty()) wrong_line(wrong);
  }
  if (!history && errors.empty()) wrong_line("the file is empty: there is no history in it");
  if (!errors.empty()) return errors;
  return std::move(*history);
}

}  // namespace breakwire::history
