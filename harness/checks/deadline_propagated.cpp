// deadline_propagated: a hop passes on what remains of the deadline it was given.
#include <set>

#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using history::Attempt;

// Encoders round grpc-timeout up: C-core to three significant digits, at most 1 %.
constexpr double rounding = 1.015;

Duration rounded_up(Duration exact) {
  return Duration(static_cast<int64_t>(static_cast<double>(exact.count()) * rounding));
}

class DeadlinePropagated : public Check {
 public:
  EdgeId from, to;
  Duration slack = 5ms;
  Percent late{5};

  static const Fields<DeadlinePropagated>& fields() {
    static const auto all =
        Fields<DeadlinePropagated>()
            .required("from", &DeadlinePropagated::from, "The edge on which a service is called.")
            .required("to", &DeadlinePropagated::to, "The edge on which that service calls further.")
            .optional("slack", &DeadlinePropagated::slack,
                      "How much more than what remains may be passed on, beside 1.5% for rounding.")
            .optional(
                "late", &DeadlinePropagated::late,
                "The share of calls that may carry more than what remains, up to all the service was given: "
                "its clock starts when it reads the HEADERS, which a busy machine delays unseen.")
            .rule([](const DeadlinePropagated& check, const json::Value& object, ErrorList& errors) {
              if (check.from == check.to)
                errors.push_back(json::error_at(object.span, "`from` and `to` are the same edge"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::edge, from.text, "from"}, {Reference::To::edge, to.text, "to"}};
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected =
        "every call on " + to.text + " carries at most what remains of its caller's deadline on " + from.text;
    std::map<std::string, std::vector<const Attempt*>> parents;
    for (const auto* attempt : question.calls.attempts(from)) {
      if (!attempt->trace_id.empty() && attempt->forwarded) parents[attempt->trace_id].push_back(attempt);
    }
    Finding finding;
    for (const auto* attempt : question.calls.attempts(to)) {
      if (!question.window.contains(attempt->received)) continue;
      ++finding.seen;
      const auto family = parents.find(attempt->trace_id);
      const auto most = family == parents.end() ? nullptr : most_lenient(family->second, *attempt);
      if (!most) {
        ++finding.orphans;
      } else if (!most->timeout) {
        ++finding.unlimited;
      } else {
        ++result.samples;
        judge_one(*most, *attempt, finding, result);
      }
    }
    judge_attempts(question, finding, result);
    std::vector<std::string> parts{counted(result.samples, "call") + " joined with a caller's deadline"};
    if (finding.missing > 0)
      parts.push_back(std::to_string(finding.missing) + " carried none, first " + finding.first_missing);
    if (finding.longer > 0)
      parts.push_back(std::to_string(finding.longer) + " carried too much, worst " + finding.worst);
    if (finding.late > 0)
      parts.push_back(std::to_string(finding.late) +
                      (tolerated(finding, result) ? " read late: carried" : " carried") +
                      " more than what remained and no more than was given" +
                      (tolerated(finding, result) ? "" : ", which " + allowed_late() + " of the calls may") +
                      ", worst " + finding.latest);
    if (finding.grew > 0)
      parts.push_back(std::to_string(finding.grew) +
                      " further attempts carried more than the one before, first " + finding.first_grown);
    if (finding.orphans > 0)
      parts.push_back(counted(finding.orphans, "call") + " had no caller on " + from.text);
    if (finding.unlimited > 0)
      parts.push_back(counted(finding.unlimited, "caller") + " set no deadline, nothing to pass on");
    result.actual = sentence(parts);
    if (result.samples == 0) {
      return inconclusive(result,
                          finding.seen == 0 ? "no call began on " + to.text
                          : finding.unlimited > 0
                              ? "no caller on " + from.text + " set a deadline"
                              : "no call on " + to.text + " shares a trace id with one on " + from.text);
    }
    const bool kept = finding.missing + finding.longer + finding.grew == 0 && tolerated(finding, result);
    result.verdict = kept ? Verdict::passed : Verdict::failed;
    if (!kept) {
      for (const EventNumber event : finding.late_events) show(result, event);
    }
    return result;
  }

 private:
  std::string allowed_late() const {
    std::string text = std::to_string(late.value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return "at most " + text + "%";
  }
  struct Finding {
    uint64_t seen = 0, orphans = 0, unlimited = 0, missing = 0, longer = 0, late = 0, grew = 0;
    Duration worst_by{}, latest_by{};
    std::string first_missing, worst, latest, first_grown;
    std::vector<EventNumber> late_events;
  };

  bool tolerated(const Finding& finding, const CheckResult& result) const {
    return static_cast<double>(finding.late) * 100 <= late.value * static_cast<double>(result.samples);
  }

  /// Of the calls of this trace that had reached the service by then, the one that leaves most time: which of
  /// several caused this call does not show on the wire. Those that are over count only if no other is left.
  static const Attempt* most_lenient(const std::vector<const Attempt*>& family, const Attempt& child) {
    const Attempt* best = nullptr;
    for (const bool running : {true, false}) {
      for (const Attempt* parent : family) {
        if (*parent->forwarded > child.received) continue;
        const auto ended = parent->ended_at();
        if (running && ended && *ended <= child.received) continue;
        const bool leaves_more =
            best && best->timeout &&
            (!parent->timeout || *parent->forwarded + *parent->timeout > *best->forwarded + *best->timeout);
        if (!best || leaves_more) best = parent;
      }
      if (best) break;
    }
    return best;
  }

  void judge_one(const Attempt& parent, const Attempt& child, Finding& finding, CheckResult& result) const {
    const Duration elapsed = child.received - *parent.forwarded;
    const Duration remains = std::max<Duration>(*parent.timeout - elapsed, Duration::zero());
    const Duration allowed = rounded_up(remains) + slack;
    if (!child.timeout) {
      if (++finding.missing == 1) finding.first_missing = name_of(child);
    } else if (*child.timeout > allowed && *child.timeout <= rounded_up(*parent.timeout) + slack) {
      ++finding.late;
      finding.late_events.push_back(parent.event);
      finding.late_events.push_back(child.event);
      if (*child.timeout - allowed > finding.latest_by) {
        finding.latest_by = *child.timeout - allowed;
        finding.latest = name_of(child) + " with " + brief(*child.timeout) + " where " + brief(remains) +
                         " of " + brief(*parent.timeout) + " remained";
      }
      return;
    } else if (*child.timeout > allowed) {
      ++finding.longer;
      if (*child.timeout - allowed > finding.worst_by) {
        finding.worst_by = *child.timeout - allowed;
        finding.worst = name_of(child) + " with " + brief(*child.timeout) + " where " + brief(remains) +
                        " of " + brief(*parent.timeout) + " remained";
      }
    } else {
      return;
    }
    show(result, parent.event);
    show(result, child.event);
  }

  void judge_attempts(const Question& question, Finding& finding, CheckResult& result) const {
    for (const auto& call : question.calls.join(to).calls) {
      if (!question.window.contains(call.first().received)) continue;
      for (size_t i = 1; i < call.attempts.size(); ++i) {
        const Attempt& before = *call.attempts[i - 1];
        const Attempt& after = *call.attempts[i];
        if (!before.timeout || !after.timeout || *after.timeout <= rounded_up(*before.timeout) + slack)
          continue;
        if (++finding.grew == 1) finding.first_grown = name_of(after);
        show(result, before.event);
        show(result, after.event);
      }
    }
  }
};

}  // namespace

CheckKind deadline_propagated_kind() {
  return make_kind<DeadlinePropagated>({
      .name = "deadline_propagated",
      .summary = "A service passes on what remains of the deadline it was given.",
      .details =
          "Each call on `to` that shares its trace id with a call on `from` must carry grpc-timeout, and "
          "no more than (Tin − elapsed) × 1.015 + `slack`: Tin is the caller's grpc-timeout, elapsed runs "
          "from the moment the caller's HEADERS were written to the service to the moment the further "
          "call's HEADERS were read, both on the relay's clock. A service's own clock starts when it reads "
          "the HEADERS, which a busy machine can delay unseen: so a share `late` of the calls may carry up "
          "to Tin × 1.015 + `slack`. 1.5% absorbs rounding (C-core rounds up to three significant digits). "
          "When several calls of a trace could be the caller, the one that leaves most time counts. Within "
          "one call the timeout may not grow from attempt to attempt by more than that rounding and `slack`, "
          "since each carries what remains. "
          "Calls on `to` without a caller on `from`, and callers without a deadline, are reported and not "
          "judged.\n\n"
          "Sources: PROTOCOL-HTTP2.md; grpc.io guides/deadlines; grpc/grpc "
          "src/core/lib/transport/timeout_encoding.cc.",
      .example =
          R"({ "check": "deadline_propagated", "from": "storefront->orders", "to": "orders->inventory" })",
  });
}

}  // namespace breakwire::checks
