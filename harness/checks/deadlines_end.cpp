// deadlines_end: no call outlives its deadline at the load. Universal.
#include "harness/checks/make_kind.h"
#include "harness/checks/overdue.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class DeadlinesEnd : public Check {
 public:
  Duration slack = 250ms;

  static const Fields<DeadlinesEnd>& fields() {
    static const auto all = Fields<DeadlinesEnd>().optional(
        "slack", &DeadlinesEnd::slack,
        "How late is still in time, on a machine that is busy with other scenarios.");
    return all;
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "every call with a deadline has ended by it + " + to_text(slack);
    const Overdue overdue = overdue_calls(question.calls.load_calls(LoadId{}), slack, question, result);
    if (result.samples == 0) return skipped(result, "no call carried a deadline");
    result.actual = counted(result.samples, "call") + " with a deadline, " +
                    (overdue.late == 0 ? "all in time" : overdue.text());
    result.verdict = overdue.late == 0 ? Verdict::passed : Verdict::failed;
    return result;
  }
};

}  // namespace

CheckKind deadlines_end_kind() {
  return make_kind<DeadlinesEnd>({
      .name = "deadlines_end",
      .summary = "Every call of a load that carries a deadline has ended by it.",
      .details =
          "Judges every call of every load, over the whole run: its status was there by its deadline + "
          "`slack`, on the client's clock. The slack is wide, since this is about calls that hang; "
          "`deadline_kept` is about being punctual. The client is breakwire's own and ends its calls by "
          "itself at their deadline, so a pass says nothing of the services: judge those by "
          "`deadline_kept` on their edges. Only a load that is a command can do otherwise; its calls are "
          "what its edge showed. When no call carries a deadline the check is `skipped`.",
      .example = R"({ "check": "deadlines_end" })",
      .universal = true,
  });
}

}  // namespace breakwire::checks
