// running: the same process throughout.
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class Running : public Check {
 public:
  ServiceId service;

  static const Fields<Running>& fields() {
    static const auto all = Fields<Running>().required("service", &Running::service,
                                                       "The service that must not exit or be restarted.");
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::service, service.text, "service"}};
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "one process of " + service.text + " runs throughout";
    const auto& window = question.window;
    const history::ProcessLife* at_begin = nullptr;
    const auto lives = history::process_lives(question.history);
    std::vector<const history::ProcessLife*> involved;
    for (const auto& life : lives) {
      if (life.service != service || life.started >= window.end) continue;
      if (life.exited && *life.exited < window.begin) continue;
      involved.push_back(&life);
      if (life.started <= window.begin) at_begin = &life;
    }
    if (lives.empty() ||
        std::none_of(lives.begin(), lives.end(), [&](const auto& life) { return life.service == service; }))
      return inconclusive(result, "breakwire started no process of " + service.text);
    result.samples = 1;
    result.verdict = Verdict::failed;
    if (!at_begin) {
      result.actual = "no process ran when the window began";
      for (const auto* life : involved) show(result, life->started_event);
      for (const auto& life : lives) {
        if (life.service == service) show(result, life.exited_event);
      }
      return result;
    }
    result.actual = "pid " + std::to_string(at_begin->pid) + " throughout";
    const bool ended = at_begin->exited && *at_begin->exited < window.end && !at_begin->in_teardown;
    if (!ended) {
      result.verdict = Verdict::passed;
      return result;
    }
    show(result, at_begin->exited_event);
    result.actual = "pid " + std::to_string(at_begin->pid) + " " + how_it_ended(*at_begin) + " at " +
                    moment(*at_begin->exited, question);
    for (const auto* life : involved) {
      if (life == at_begin) continue;
      result.actual +=
          "; pid " + std::to_string(life->pid) + " started at " + moment(life->started, question);
      show(result, life->started_event);
    }
    return result;
  }
};

}  // namespace

CheckKind running_kind() {
  return make_kind<Running>({
      .name = "running",
      .summary = "A service keeps running: the same process throughout.",
      .details =
          "The process that ran when the window began still runs when it ends. A crash that a supervisor "
          "hides by starting it again is a failure. A process that is frozen runs. Exits that breakwire "
          "causes by stopping the services at the end of the run do not count.",
      .example = R"({ "check": "running", "service": "orders", "during": "dead" })",
  });
}

}  // namespace breakwire::checks
