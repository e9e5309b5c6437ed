#include "services/kit/trace.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace breakwire::kit {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

std::string random_id(size_t bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 16> raw{};
  std::string id;
  do {
    if (::getrandom(raw.data(), bytes, 0) != static_cast<ssize_t>(bytes))
      throw std::runtime_error("getrandom failed");
    id.clear();
    for (size_t i = 0; i < bytes; ++i) {
      id += digits[raw[i] >> 4];
      id += digits[raw[i] & 15];
    }
  } while (!is_id(id));
  return id;
}

}  // namespace

std::string Span::traceparent() const { return "00-" + trace_id + "-" + span_id + (sampled ? "-01" : "-00"); }

std::optional<Span> parse_traceparent(std::string_view text) {
  // 00-<32 hex>-<16 hex>-<2 hex>
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  std::string_view version = text.substr(0, 2);
  std::string_view flags = text.substr(53, 2);
  if (!is_hex(version) || version == "ff" || !is_hex(flags)) return std::nullopt;
  if (text.size() > 55 && (version == "00" || text[55] != '-')) return std::nullopt;
  Span span{.trace_id = std::string(text.substr(3, 32)), .span_id = std::string(text.substr(36, 16))};
  if (!is_id(span.trace_id) || !is_id(span.span_id)) return std::nullopt;
  int low = flags[1] <= '9' ? flags[1] - '0' : flags[1] - 'a' + 10;
  span.sampled = (low & 1) != 0;
  return span;
}

Span new_trace() { return Span{.trace_id = random_id(16), .span_id = random_id(8)}; }

Span child_of(const Span& parent) {
  Span child = parent;
  child.parent_id = parent.span_id;
  child.span_id = random_id(8);
  return child;
}

Span span_of_call(const std::multimap<std::string, std::string>& metadata) {
  if (metadata.count("traceparent") != 1) return new_trace();
  auto caller = parse_traceparent(metadata.find("traceparent")->second);
  if (!caller) return new_trace();
  if (metadata.count("tracestate") == 1) caller->tracestate = metadata.find("tracestate")->second;
  return child_of(*caller);
}

}  // namespace breakwire::kit
