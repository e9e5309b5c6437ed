// attempts: how many attempts a call is given, and after which outcomes a further one may follow.
#include <algorithm>

#include "faults/match.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/retries.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {

struct AttemptRange {
  std::optional<uint64_t> min, max, exactly;
  static const Fields<AttemptRange>& fields() {
    static const auto all =
        Fields<AttemptRange>()
            .optional("min", &AttemptRange::min, "No call has fewer.")
            .optional("max", &AttemptRange::max, "No call has more.")
            .optional("exactly", &AttemptRange::exactly, "Every call has this many.")
            .rule([](const AttemptRange& range, const json::Value& object, ErrorList& errors) {
              if (range.exactly ? range.min || range.max : !range.min && !range.max) {
                errors.push_back(
                    json::error_at(object.span, "`per_call` takes `min` and `max`, or `exactly`"));
              }
            });
    return all;
  }
};
/// A number, or a range.
struct PerCall {
  AttemptRange range;
};

}  // namespace breakwire::checks

namespace breakwire {

template <>
struct Codec<checks::PerCall> {
  static bool read(const json::Value& value, checks::PerCall& out, ErrorList& errors) {
    if (value.is(json::Kind::object)) return Codec<checks::AttemptRange>::read(value, out.range, errors);
    return Codec<uint64_t>::read(value, out.range.exactly.emplace(), errors);
  }
  static json::Value schema() {
    return json::object(
        {{"anyOf", json::array({Codec<uint64_t>::schema(), Codec<checks::AttemptRange>::schema()})}});
  }
  static std::string type() { return "number, or object of min, max, exactly"; }
  static std::string show(const checks::PerCall&) { return ""; }
};

}  // namespace breakwire

namespace breakwire::checks {
namespace {

using history::Attempt;

class Attempts : public Check {
 public:
  EdgeId on;
  std::optional<PerCall> per_call;
  std::optional<std::vector<StatusCode>> only_after;
  std::optional<std::string> method;

  static const Fields<Attempts>& fields() {
    static const auto all =
        Fields<Attempts>()
            .required("on", &Attempts::on, "The edge whose attempts are counted.")
            .optional("per_call", &Attempts::per_call, "How many attempts a call has, the first included.")
            .optional("only_after", &Attempts::only_after,
                      "A further attempt follows only an attempt that ended with one of these codes.")
            .optional("method", &Attempts::method, "Only calls of this method; `*` matches any characters.")
            .rule([](const Attempts& check, const json::Value& object, ErrorList& errors) {
              if (check.per_call || check.only_after) return;
              errors.push_back(json::error_at(object.span, "`attempts` says nothing about the attempts",
                                              "give `per_call`, `only_after`, or both"));
            });
    return all;
  }
  std::vector<Reference> references() const override { return {{Reference::To::edge, on.text, "on"}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = expectation();
    const history::Joined joined = question.calls.join(on);
    const auto concerns = [&](const Attempt& attempt) {
      return question.window.contains(attempt.received) &&
             (!method || faults::matches_pattern(*method, attempt.method));
    };
    std::map<uint64_t, uint64_t> calls_by_count;
    Finding finding;
    for (const auto& call : joined.calls) {
      if (!concerns(call.first())) continue;
      const uint64_t count = count_of(call);
      ++calls_by_count[count];
      const bool over = call.last().end.has_value();
      if (per_call && (over || is_too_many(count))) {
        ++result.samples;
        judge_count(call, count, finding, result);
      }
      if (only_after) judge_order(call, finding, result);
    }
    if (!per_call) result.samples = finding.could_retry;

    std::vector<std::string> parts;
    for (const auto& [count, calls] : calls_by_count)
      parts.push_back(counted(calls, "call") + " with " + counted(count, "attempt"));
    if (parts.empty()) parts.push_back("no call on " + on.text);
    if (finding.wrong_count > 0) parts.push_back("first wrong: " + finding.first_wrong_count);
    if (finding.wrong_order > 0) {
      parts.push_back(counted(finding.wrong_order, "attempt") +
                      " should not have followed, first: " + finding.first_wrong_order);
    }
    result.actual = sentence(parts);
    if (const auto why = unclear_join(joined, concerns)) return inconclusive(result, *why);
    // A count that is wrong is a failure all the same.
    if (only_after && finding.could_retry == 0 && finding.wrong_count == 0 && !calls_by_count.empty())
      return inconclusive(result, "no attempt failed, so none could have been retried");
    result.verdict = finding.wrong_count + finding.wrong_order == 0 ? Verdict::passed : Verdict::failed;
    return result;
  }

 private:
  struct Finding {
    uint64_t wrong_count = 0, wrong_order = 0, could_retry = 0;
    std::string first_wrong_count, first_wrong_order;
  };

  /// What never reached the wire (no connection could be had) shows in grpc-previous-rpc-attempts only.
  static uint64_t count_of(const history::Call& call) {
    return std::max<uint64_t>(call.attempts.size(), call.last().previous_attempts + uint64_t{1});
  }
  bool is_too_many(uint64_t count) const {
    const AttemptRange& range = per_call->range;
    return count > range.exactly.value_or(range.max.value_or(UINT64_MAX));
  }
  void judge_count(const history::Call& call, uint64_t count, Finding& finding, CheckResult& result) const {
    const AttemptRange& range = per_call->range;
    if (!is_too_many(count) && count >= range.exactly.value_or(range.min.value_or(0))) return;
    if (++finding.wrong_count == 1)
      finding.first_wrong_count = name_of(call.first()) + " with " + counted(count, "attempt");
    for (const Attempt* attempt : call.attempts) show(result, attempt->event);
  }

  void judge_order(const history::Call& call, Finding& finding, CheckResult& result) const {
    for (size_t i = 0; i < call.attempts.size(); ++i) {
      const Attempt& before = *call.attempts[i];
      const auto outcome = before.seen_by_caller();
      if (was_refused(before)) continue;
      if (outcome && *outcome != StatusCode::ok) ++finding.could_retry;
      if (i + 1 == call.attempts.size()) continue;
      const Attempt& after = *call.attempts[i + 1];
      const bool running = !before.end || before.end->received > after.received;
      if (!running && outcome &&
          std::find(only_after->begin(), only_after->end(), *outcome) != only_after->end())
        continue;
      if (running || outcome == StatusCode::ok) ++finding.could_retry;
      if (++finding.wrong_order == 1) {
        finding.first_wrong_order = name_of(after) + " attempt " + std::to_string(i + 2) +
                                    (running ? " while the one before was still running"
                                             : " after " + std::string(to_text(*outcome)));
      }
      if (before.end) show(result, before.end->event);
      show(result, after.event);
    }
  }

  std::string expectation() const {
    std::vector<std::string> parts;
    if (per_call) {
      const AttemptRange& range = per_call->range;
      if (range.exactly) parts.push_back("every call has " + counted(*range.exactly, "attempt"));
      if (range.min) parts.push_back("every call has at least " + counted(*range.min, "attempt"));
      if (range.max) parts.push_back("every call has at most " + counted(*range.max, "attempt"));
    }
    if (only_after) {
      parts.push_back(only_after->empty() ? "no further attempts"
                                          : "a further attempt only after " + any_of(*only_after));
    }
    return sentence(parts) + " on " + on.text;
  }
};

}  // namespace

CheckKind attempts_kind() {
  return make_kind<Attempts>({
      .name = "attempts",
      .summary = "Calls are retried as often, and only after those outcomes, as they should be.",
      .details =
          "Judges the calls on `on` whose first attempt began in the window. Streams are joined into calls "
          "as the edge's `correlate` says (by default by trace id and grpc-previous-rpc-attempts); a join "
          "that could be wrong makes the check inconclusive. Attempts that never reached the wire, because "
          "no connection could be had, are counted by the header of a later one. A call that is not over "
          "counts only against `max`.\n\n"
          "`only_after` asks of each further attempt how the one before ended for its caller: with the "
          "status in its trailers, or what PROTOCOL-HTTP2.md makes of a reset or a lost connection. "
          "Transparent retries of refused streams (REFUSED_STREAM, GOAWAY) are the library's own and "
          "always allowed. Hedged attempts follow a running one and are violations. Where no attempt "
          "failed (a refused one aside) nothing could have been retried, nothing is proved, and the check "
          "is inconclusive, also beside a `per_call` that held. Without `per_call` the samples are the "
          "failed attempts.\n\n"
          "Sources: gRFC A6; PROTOCOL-HTTP2.md, HTTP2 Transport Mapping.",
      .example =
          R"({ "check": "attempts", "on": "orders->inventory", "per_call": { "max": 3 }, "only_after": ["UNAVAILABLE"] })",
  });
}

}  // namespace breakwire::checks
