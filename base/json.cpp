#include "base/json.h"

#include <charconv>
#include <cmath>

namespace breakwire::json {
namespace {

/// The length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629 §4), or 0.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](size_t from, size_t count) {
    for (size_t i = from; i < from + count; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1, 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool sound = (first != 0xE0 || second >= 0xA0) && (first != 0xED || second <= 0x9F);
    return sound && follows(1, 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool sound = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second <= 0x8F);
    return sound && follows(1, 3) ? 4 : 0;
  }
  return 0;
}

// Bytes that are not UTF-8 (a service's log line, a peer's debug data) become U+FFFD: JSON is UTF-8, RFC 8259
// §8.1.
void escape(std::string_view text, std::string& out) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const size_t length = utf8_length(text.substr(i));
      out += length > 0 ? text.substr(i, length) : "\uFFFD";
      if (length > 0) i += length - 1;
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20 || c == 0x7f) {
          out += "\\u00";
          out += hex[c >> 4];
          out += hex[c & 15];
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  out += '"';
}

bool is_scalar(const Value& value) { return value.kind != Kind::array && value.kind != Kind::object; }

constexpr size_t narrow = 100;  // what may stay on one line

void write_to(const Value& value, std::string& out, int indent);

template <class Items, class WriteItem>
void write_block(const Items& items, char open, char close, std::string& out, int indent,
                 WriteItem write_item) {
  out += open;
  const bool block = indent >= 0;
  const std::string line = block ? "\n" + std::string(static_cast<size_t>(indent) + 2, ' ') : "";
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += block ? "," : ", ";
    first = false;
    out += line;
    write_item(item);
  }
  if (block && !items.empty()) out += "\n" + std::string(static_cast<size_t>(indent), ' ');
  out += close;
}

// indent < 0: everything on one line.
void write_to(const Value& value, std::string& out, int indent) {
  const int deeper = indent < 0 ? -1 : indent + 2;
  switch (value.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Kind::number:
      out += value.text;
      return;
    case Kind::string:
      escape(value.text, out);
      return;
    case Kind::array:
    case Kind::object:
      break;
  }
  if (indent >= 0) {
    bool flat = true;
    for (const auto& item : value.items) flat = flat && is_scalar(item);
    for (const auto& member : value.members) flat = flat && is_scalar(member.value);
    if (flat) {
      std::string line;
      write_to(value, line, -1);
      if (line.size() + static_cast<size_t>(indent) <= narrow) {
        out += line;
        return;
      }
    }
  }
  if (value.kind == Kind::array) {
    write_block(value.items, '[', ']', out, indent, [&](const Value& item) { write_to(item, out, deeper); });
  } else {
    write_block(value.members, '{', '}', out, indent, [&](const Member& member) {
      escape(member.key, out);
      out += ": ";
      write_to(member.value, out, deeper);
    });
  }
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "null";
  char buffer[32];
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, static_cast<int64_t>(value));
    return {buffer, end};
  }
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

}  // namespace

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

Place place_of(const Span& span) {
  Place place;
  if (!span.source) return place;
  place.file = span.source->file;
  place.offset = span.begin;
  place.line = 1;
  size_t line_start = 0;
  const std::string& text = span.source->text;
  for (size_t i = 0; i < span.begin && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++place.line;
      line_start = i + 1;
    }
  }
  if (line_start == 0 && text.starts_with(byte_order_mark)) line_start = byte_order_mark.size();
  place.column = 1;
  for (size_t i = line_start; i < span.begin && i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80)
      ++place.column;  // UTF-8 continuation bytes take no column
  }
  const size_t line_end = std::min(text.find('\n', span.begin), text.size());
  place.length = std::max<size_t>(1, std::min(span.end, line_end) - std::min(span.begin, line_end));
  return place;
}

Error error_at(const Span& span, std::string what, std::string hint) {
  Error error{.what = std::move(what),
              .where = place_of(span),
              .hint = std::move(hint),
              .source_line = {},
              .also = {}};
  if (span.source && !span.source->text.empty()) {
    const std::string& text = span.source->text;
    const size_t at = std::min(span.begin, text.size());
    size_t start = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    start = start == std::string::npos ? 0 : start + 1;
    std::string line = text.substr(start, std::min(text.find('\n', at), text.size()) - start);
    if (line.ends_with('\r')) line.pop_back();
    if (start == 0 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
    error.source_line = std::move(line);
  }
  return error;
}

std::string_view to_text(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "true or false";
    case Kind::number:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::array:
      return "a list";
    case Kind::object:
      return "an object";
  }
  return "";
}

Value::Value(std::string string) : kind(Kind::string), text(std::move(string)) {}
Value::Value(std::string_view string) : Value(std::string(string)) {}
Value::Value(const char* string) : Value(std::string(string)) {}
Value::Value(bool value) : kind(Kind::boolean), boolean(value) {}
Value::Value(double value) : kind(Kind::number), number(value), text(number_text(value)) {
  if (text == "null") kind = Kind::null;
}
Value::Value(int value) : Value(static_cast<int64_t>(value)) {}
Value::Value(int64_t value)
    : kind(Kind::number), number(static_cast<double>(value)), text(std::to_string(value)) {}
Value::Value(uint64_t value)
    : kind(Kind::number), number(static_cast<double>(value)), text(std::to_string(value)) {}

const Value* Value::find(std::string_view key) const {
  for (const auto& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

Value& Value::set(std::string_view key, Value value) {
  kind = Kind::object;
  if (Value* present = find(key)) {
    *present = std::move(value);
  } else {
    members.push_back({std::string(key), {}, std::move(value)});
  }
  return *this;
}

Value& Value::push(Value value) {
  kind = Kind::array;
  items.push_back(std::move(value));
  return *this;
}

Value object(std::initializer_list<std::pair<std::string_view, Value>> members) {
  Value value;
  value.kind = Kind::object;
  for (const auto& [key, member] : members) value.set(key, member);
  return value;
}

Value array(std::vector<Value> items) {
  Value value;
  value.kind = Kind::array;
  value.items = std::move(items);
  return value;
}

Value strings(const std::vector<std::string>& items) { return array({items.begin(), items.end()}); }

std::string write(const Value& value) {
  std::string out;
  write_to(value, out, 0);
  return out;
}

std::string write_line(const Value& value) {
  std::string out;
  write_to(value, out, -1);
  return out;
}

}  // namespace breakwire::json
