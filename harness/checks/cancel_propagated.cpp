// cancel_propagated: when a caller gives up, what its service had others do for it stops too. Pure.
#include <algorithm>

#include "faults/match.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using faults::Ending;
using history::Attempt;
using Attempts = std::vector<const Attempt*>;

class CancelPropagated : public Check {
 public:
  EdgeId from, to;
  Duration within{};
  std::optional<std::string> method;

  static const Fields<CancelPropagated>& fields() {
    static const auto all =
        Fields<CancelPropagated>()
            .required("from", &CancelPropagated::from, "The edge on which a service is called.")
            .required("to", &CancelPropagated::to, "The edge on which that service calls further.")
            .required("within", &CancelPropagated::within,
                      "So soon after the cancel reached the service it ends its own calls.")
            .optional("method", &CancelPropagated::method,
                      "Only calls of this method on `to`; `*` matches any characters.")
            .rule([](const CancelPropagated& check, const json::Value& object, ErrorList& errors) {
              if (check.from == check.to)
                errors.push_back(json::error_at(object.span, "`from` and `to` are the same edge"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::edge, from.text, "from"}, {Reference::To::edge, to.text, "to"}};
  }
  Duration needs() const override { return within; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "what is open on " + to.text + " for a call that is cancelled on " + from.text +
                      " is reset at most " + to_text(within) + " later, and nothing new begins";
    Finding finding;
    std::map<std::string, Attempts> inbound, further;
    for (const Attempt* attempt : question.calls.attempts(from)) {
      if (attempt->forwarded) inbound[attempt->trace_id].push_back(attempt);
    }
    for (const Attempt* attempt : question.calls.attempts(to)) {
      if (!method || faults::matches_pattern(*method, attempt->method))
        further[attempt->trace_id].push_back(attempt);
    }
    const auto hung_up = closed_by_service(question.history);
    for (const auto& [trace, calls] : inbound) {
      for (const Attempt* call : calls) {
        if (!question.window.contains(call->received)) continue;
        const auto cancelled = cancelled_at(*call, hung_up);
        if (!cancelled) continue;
        ++finding.cancelled;
        if (trace.empty()) {
          ++finding.untraced;
          continue;
        }
        const auto made = further.find(trace);
        if (made == further.end()) continue;
        finding.traced = true;
        for (const Attempt* attempt : made->second) {
          if (attempt->received >= *call->forwarded && !may_be_anothers(*attempt, *call, *cancelled, calls))
            judge_one(*call, *attempt, *cancelled, question, finding, result);
        }
      }
    }
    result.samples = finding.stopped + finding.left + finding.late_begun;
    std::vector<std::string> parts{
        counted(finding.cancelled, "cancelled call") + " on " + from.text,
        counted(finding.stopped, "further call") + " ended in time" +
            (finding.stopped > 0 ? ", the slowest after " + brief(finding.slowest) : "")};
    if (finding.left > 0)
      parts.push_back(std::to_string(finding.left) + " not ended in time, first " + finding.first_left);
    if (finding.late_begun > 0) {
      parts.push_back(std::to_string(finding.late_begun) + " begun when the caller had gone, first " +
                      finding.first_begun);
    }
    if (finding.by_themselves > 0)
      parts.push_back(std::to_string(finding.by_themselves) + " over by themselves in that time, not judged");
    result.actual = sentence(parts);
    if (result.samples == 0) return inconclusive(result, why_unseen(finding));
    result.verdict = finding.left + finding.late_begun == 0 ? Verdict::passed : Verdict::failed;
    return result;
  }

 private:
  struct Finding {
    uint64_t cancelled = 0, untraced = 0, stopped = 0, left = 0, late_begun = 0, by_themselves = 0,
             undecided = 0;
    bool traced = false;
    Duration slowest{};
    std::string first_left, first_begun;
  };
  using Closed = std::map<ConnectionId, bool>;

  /// Connections that the service ended itself: their calls were not cancelled by anyone.
  static Closed closed_by_service(const history::History& history) {
    Closed closed;
    history::each<faults::ConnectionEnded>(history, [&](const auto&, const faults::ConnectionEnded& ended) {
      closed[ended.connection] = ended.by == faults::Peer::upstream && ended.fault.empty();
    });
    return closed;
  }

  /// When the service was told, or could tell, that nobody waits any more; nullopt when that was not so.
  static std::optional<Instant> cancelled_at(const Attempt& call, const Closed& closed_by_service) {
    if (!call.end) return std::nullopt;
    switch (call.end->how) {
      case Ending::reset_by_downstream:
        return call.end->forwarded;
      case Ending::connection_lost: {
        const auto closed = closed_by_service.find(call.connection);
        if (closed != closed_by_service.end() && closed->second) return std::nullopt;
        return call.end->received;
      }
      case Ending::ended_by_fault:  // the relay resets the service's side at the same moment
        return call.end->received;
      case Ending::trailers: {
        // The service's library ends a call at its deadline by itself.
        const bool at_deadline = call.timeout && call.end->status == StatusCode::deadline_exceeded &&
                                 call.end->received >= *call.forwarded + *call.timeout - *call.timeout / 50;
        return at_deadline ? std::optional(call.end->received) : std::nullopt;
      }
      case Ending::reset_by_upstream:
      case Ending::refused_while_held:
      case Ending::refused_by_goaway:
        return std::nullopt;
    }
    return std::nullopt;
  }

  /// Its caller had another call of the same trace open when this one was cancelled, a retry for example.
  static bool may_be_anothers(const Attempt& attempt, const Attempt& call, Instant cancelled,
                              const Attempts& calls) {
    return std::any_of(calls.begin(), calls.end(), [&](const Attempt* other) {
      if (other == &call || *other->forwarded > attempt.received) return false;
      return !other->end || other->end->received > cancelled;
    });
  }

  void judge_one(const Attempt& call, const Attempt& attempt, Instant cancelled, const Question& question,
                 Finding& finding, CheckResult& result) const {
    if (attempt.end && attempt.end->received <= cancelled) return;  // it had ended before
    if (attempt.received > cancelled + within) {
      if (++finding.late_begun == 1) {
        finding.first_begun = name_of(attempt) + " " + brief(attempt.received - cancelled) +
                              " after the cancel at " + moment(cancelled, question);
      }
      show(result, call.end->event);
      show(result, attempt.event);
      return;
    }
    const Instant since = std::max(cancelled, attempt.received);
    const bool over = attempt.end && attempt.end->received <= since + within;
    if (over) {
      // At its own deadline its library resets it, cancel or no cancel.
      const bool ended_for_it = attempt.end->how == Ending::reset_by_downstream &&
                                attempt.outcome() != StatusCode::deadline_exceeded;
      if (!ended_for_it) {
        ++finding.by_themselves;
        return;
      }
      ++finding.stopped;
      finding.slowest = std::max(finding.slowest, attempt.end->received - since);
      return;
    }
    if (!attempt.end && question.history.last() < since + within) {
      ++finding.undecided;
      return;
    }
    if (++finding.left == 1) {
      finding.first_left = name_of(attempt) + ", " +
                           (attempt.end ? "over " + brief(attempt.end->received - cancelled) + " after"
                                        : std::string("never over after")) +
                           " the cancel at " + moment(cancelled, question);
    }
    show(result, call.end->event);
    show(result, attempt.event);
    if (attempt.end) show(result, attempt.end->event);
  }

  std::string why_unseen(const Finding& finding) const {
    if (finding.cancelled == 0) return "no call on " + from.text + " was cancelled";
    if (finding.undecided > 0) return "the history ends before the time to stop was over";
    if (finding.untraced == finding.cancelled)
      return "the cancelled calls carry no trace id, so what was done for them cannot be told";
    if (!finding.traced) return "no call on " + to.text + " shares a trace id with a cancelled one";
    if (finding.by_themselves > 0) return "what was open on " + to.text + " then was soon over by itself";
    return "no call on " + to.text + " was open when its caller's call was cancelled";
  }
};

}  // namespace

CheckKind cancel_propagated_kind() {
  return make_kind<CancelPropagated>({
      .name = "cancel_propagated",
      .summary = "When a caller gives up, the calls that were made for it are ended too.",
      .details =
          "A call on `from` that began in the window is cancelled when its caller reset it, its connection "
          "was "
          "lost (unless the service closed it), a fault ended it, or its deadline passed and the service's "
          "library "
          "said so with DEADLINE_EXCEEDED. That moment is when the reset was written to the service, so a "
          "cancel "
          "that a fault holds counts when it arrives; for the others, when the relay saw it.\n\n"
          "What the service has open on `to` at that moment in the same trace, and what it begins less than "
          "`within` later, must be reset by it at most `within` later. What ends by itself in that time "
          "proves nothing, and to reach its own deadline is to end by itself, reset or not; what had ended "
          "before is fine. A call that begins "
          "on `to` later than that is work for nobody. Where another call of the trace was open on `from`, "
          "such as a retry, the further call may be for that one and is not judged.\n\n"
          "Needs at least one cancelled call with a further call open at that moment: let something be slow "
          "behind the service. Samples are the further calls judged.\n\n"
          "Sources: PROTOCOL-HTTP2.md (RST_STREAM, CANCEL); grpc.io guides/cancellation; in C++ a call that "
          "serves another must be made with ClientContext::FromServerContext.",
      .example =
          R"({ "check": "cancel_propagated", "from": "storefront->orders", "to": "orders->inventory", "within": "100ms" })",
  });
}

}  // namespace breakwire::checks
