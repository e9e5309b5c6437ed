// deadline_kept: calls are over when their deadline is.
#include "harness/checks/make_kind.h"
#include "harness/checks/overdue.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using faults::Ending;

class DeadlineKept : public Check {
 public:
  std::optional<LoadId> load;
  std::optional<EdgeId> on;
  Duration slack = 50ms;
  bool allow_missing = false;

  static const Fields<DeadlineKept>& fields() {
    static const auto all =
        Fields<DeadlineKept>()
            .optional("load", &DeadlineKept::load,
                      "Calls of this load, by the client's clock; left out, without `on`: of all loads.")
            .optional("on", &DeadlineKept::on, "Instead: calls on this edge, by what the wire shows.")
            .optional("slack", &DeadlineKept::slack,
                      "How late is still in time: timers and schedulers of a busy machine.")
            .optional("allow_missing", &DeadlineKept::allow_missing,
                      "On an edge, a call without a grpc-timeout is a violation unless this is true.")
            .rule([](const DeadlineKept& check, const json::Value& object, ErrorList& errors) {
              if (check.load && check.on)
                errors.push_back(
                    json::error_at(object.span, "`deadline_kept` takes `load` or `on`, not both"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    auto all = reference(load);
    if (on) all.push_back({Reference::To::edge, on->text, "on"});
    return all;
  }

  CheckResult evaluate(const Question& question) const override {
    return on ? evaluate_edge(question) : evaluate_load(question);
  }

 private:
  struct Finding {
    Overdue overdue;
    uint64_t missing = 0;
    std::string first_missing;
  };

  CheckResult evaluate_load(const Question& question) const {
    CheckResult result;
    result.expected = "every call is over by its deadline + " + to_text(slack);
    Finding finding;
    finding.overdue = overdue_calls(calls_in(load, question), slack, question, result);
    if (result.samples == 0) return inconclusive(result, "no call in the window carried a deadline");
    return conclude(result, finding, 0);
  }

  CheckResult evaluate_edge(const Question& question) const {
    CheckResult result;
    result.expected =
        "every call on " + on->text + " carries a deadline and is over by it + " + to_text(slack);
    const Instant now = question.history.last();
    Finding finding;
    uint64_t held = 0;
    for (const auto* attempt : question.calls.attempts(*on)) {
      if (!question.window.contains(attempt->received)) continue;
      if (!attempt->timeout) {
        if (allow_missing) continue;
        ++result.samples;
        if (++finding.missing == 1) finding.first_missing = name_of(*attempt);
        show(result, attempt->event);
        continue;
      }
      const Instant due = attempt->received + *attempt->timeout;
      const auto ended = attempt->ended_at();
      if (!ended && now <= due + slack) continue;
      const Instant over = ended.value_or(now);
      // The callee was in time and a fault kept its answer in the relay, for which the caller waited without
      // a word: whether it counts as late is its own affair.
      const bool answered_in_time = attempt->end && attempt->end->received <= due + slack;
      if (over > due + slack && answered_in_time) {
        ++held;
        continue;
      }
      ++result.samples;
      if (over <= due + slack) continue;
      finding.overdue.add(over - due, name_of(*attempt) + (ended ? "" : " (never ended)"));
      show(result, attempt->event);
      if (attempt->end) show(result, attempt->end->event);
    }
    if (result.samples == 0) return inconclusive(result, "no call that could be judged began on " + on->text);
    return conclude(result, finding, held);
  }

  static CheckResult conclude(CheckResult result, const Finding& finding, uint64_t held) {
    std::vector<std::string> parts{counted(result.samples, "call")};
    if (finding.missing > 0) {
      parts.push_back(std::to_string(finding.missing) + " without a deadline, first " +
                      finding.first_missing);
    }
    const bool all_in_time = finding.missing + finding.overdue.late == 0;
    if (finding.overdue.late > 0) parts.push_back(finding.overdue.text());
    if (all_in_time) parts.push_back("all in time");
    if (held > 0) parts.push_back(counted(held, "answer") + " in time but held by a fault, not judged");
    result.actual = sentence(parts);
    result.verdict = all_in_time ? Verdict::passed : Verdict::failed;
    return result;
  }
};

}  // namespace

CheckKind deadline_kept_kind() {
  return make_kind<DeadlineKept>({
      .name = "deadline_kept",
      .summary = "Every call is over by its deadline, whatever hangs behind it.",
      .details =
          "For a load: each call issued in the window that carries a deadline has its status by that "
          "deadline + `slack`, on the client's clock. That client is breakwire's own and ends its calls by "
          "itself when their deadline is over, whatever the services do: of them this says little, of a "
          "client that is late or hangs much, as one that is a command can be, which is judged by its edge. "
          "To "
          "judge a service, name an edge that it calls on.\n\n"
          "For an edge: each stream begun in the window carries grpc-timeout and is over (trailers or a "
          "reset that reached the caller, or the caller's own reset) by the moment its HEADERS were read + "
          "grpc-timeout + `slack`; a stream without grpc-timeout can wait for ever and is a violation. "
          "Answers that came in time and that a fault then held are not judged. A caller that gives up at "
          "its deadline keeps it, even when its callee hangs; which of them ended the call shows in "
          "`outcomes`. While `blackhole` or `half_open` is in force on that very edge the relay does not "
          "hear "
          "the caller: calls it made and gave up then are seen late or never, so name an edge in front of "
          "it, or the load. `slack` is for timers and schedulers; C-core rounds grpc-timeout up by at most "
          "1%, "
          "in the caller's favour.\n\n"
          "Sources: PROTOCOL-HTTP2.md (grpc-timeout); grpc.io guides/deadlines.",
      .example =
          R"({ "check": "deadline_kept", "on": "orders->inventory", "during": "hang", "slack": "100ms" })",
  });
}

}  // namespace breakwire::checks
