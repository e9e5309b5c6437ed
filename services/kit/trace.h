#pragma once
// W3C trace context, level 1: https://www.w3.org/TR/trace-context/. Pure but for the random ids.

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace breakwire::kit {

/// One span of a trace. Ids are lower-case hex, 32 and 16 digits, never all zero.
struct Span {
  std::string trace_id;
  std::string span_id;
  std::string parent_id;   ///< empty for the first span of a trace
  bool sampled = true;     ///< the only flag of level 1; others are not passed on
  std::string tracestate;  ///< vendors' own, carried on untouched; empty when there was none

  /// This span as a callee is told of it: "00-<trace_id>-<span_id>-01".
  std::string traceparent() const;
  bool operator==(const Span&) const = default;
};

/// The caller's span; nothing when the text is malformed. Versions above 00 are read by their first 55
/// characters.
std::optional<Span> parse_traceparent(std::string_view text);

/// A span of a new trace.
Span new_trace();

/// A span of the same trace, with `parent` as its parent.
Span child_of(const Span& parent);

/// The span of a call that arrived with these `traceparent` and `tracestate` values (one each at most is
/// valid): a child of the caller's, or of a new trace when the caller sent none, several or a malformed one.
Span span_of_call(const std::multimap<std::string, std::string>& metadata);

}  // namespace breakwire::kit
