#include "faults/http2/grpc_fields.h"

#include <charconv>

namespace breakwire::http2 {
namespace {

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool all_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

/// The whole of `text` as a decimal number.
std::optional<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Duration> parse_grpc_timeout(std::string_view value) {
  if (value.size() < 2 || value.size() > 9) return std::nullopt;
  const std::string_view digits = value.substr(0, value.size() - 1);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const int64_t number = *parse_number(digits);
  switch (value.back()) {
    case 'H':
      // 99999999 hours do not fit 64 bits of nanoseconds; that is as good as for ever.
      if (number > Duration::max() / std::chrono::hours(1)) return Duration::max();
      return std::chrono::hours(number);
    case 'M':
      return std::chrono::minutes(number);
    case 'S':
      return std::chrono::seconds(number);
    case 'm':
      return std::chrono::milliseconds(number);
    case 'u':
      return std::chrono::microseconds(number);
    case 'n':
      return std::chrono::nanoseconds(number);
    default:
      return std::nullopt;
  }
}

std::optional<TraceParent> parse_traceparent(std::string_view value) {
  constexpr size_t known_size = 55;
  if (value.size() < known_size) return std::nullopt;
  const std::string_view version = value.substr(0, 2);
  const std::string_view trace = value.substr(3, 32);
  const std::string_view parent = value.substr(36, 16);
  const std::string_view flags = value.substr(53, 2);
  if (value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (version == "00" && value.size() != known_size) return std::nullopt;
  if (value.size() > known_size && value[known_size] != '-') return std::nullopt;
  if (!is_lower_hex(trace) || all_zero(trace)) return std::nullopt;
  if (!is_lower_hex(parent) || all_zero(parent)) return std::nullopt;
  if (!is_lower_hex(flags)) return std::nullopt;
  return TraceParent{std::string(trace), std::string(parent)};
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 0xf]);
    }
  }
  return out;
}

int parse_http_status(std::optional<std::string_view> value) {
  if (!value || value->size() != 3) return 0;
  return static_cast<int>(parse_number(*value).value_or(0));
}

StatusCode parse_grpc_status(std::optional<std::string_view> value, int http_status) {
  if (!value) return status_of_http(http_status);
  const auto number = parse_number(*value);
  return number ? status_code_from(*number).value_or(StatusCode::unknown) : StatusCode::unknown;
}

bool is_grpc_type(std::optional<std::string_view> value) {
  return value && value->starts_with("application/grpc") && !value->starts_with("application/grpc-web");
}

unsigned parse_attempts(std::string_view value) {
  const auto number = parse_number(value);
  return number && *number > 0 && *number <= 1'000'000 ? static_cast<unsigned>(*number) : 0;
}

std::optional<int> parse_pushback(std::optional<std::string_view> value) {
  if (!value) return std::nullopt;
  const int64_t number = parse_number(*value).value_or(-1);
  return number < 0 || number > INT32_MAX ? -1 : static_cast<int>(number);
}

faults::Metadata status_fields(bool trailers_only, StatusCode code, const std::string& message,
                               const faults::Metadata& more) {
  faults::Metadata fields;
  if (trailers_only) {
    fields.push_back({":status", "200"});
    fields.push_back({"content-type", "application/grpc"});
  }
  fields.push_back({"grpc-status", std::to_string(static_cast<int>(code))});
  if (!message.empty()) fields.push_back({"grpc-message", percent_encode(message)});
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace breakwire::http2
