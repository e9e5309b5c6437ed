#include "harness/checks/overdue.h"

#include "harness/checks/wording.h"

namespace breakwire::checks {

void Overdue::add(Duration by, const std::string& name) {
  ++late;
  if (by <= worst && !worst_name.empty()) return;
  worst = by;
  worst_name = name;
}

std::string Overdue::text() const {
  return std::to_string(late) + " too late, worst " + worst_name + " by " + brief(worst);
}

Overdue overdue_calls(const std::vector<const history::Calls::LoadCall*>& calls, Duration slack,
                      const Question& question, CheckResult& result) {
  Overdue overdue;
  const Instant now = question.history.last();
  for (const auto* call : calls) {
    if (!call->issued->deadline) continue;
    const Instant due = *call->issued->deadline;
    if (!call->done && now <= due + slack) continue;  // the history ends before it could be late
    ++result.samples;
    const Instant over = call->done ? call->done_at : now;
    if (over <= due + slack) continue;
    overdue.add(over - due, name_of(*call) + (call->done ? "" : " (never ended)"));
    show(result, call->done ? call->done_event : call->issued_event);
  }
  return overdue;
}

}  // namespace breakwire::checks
