// exit: a service's process ends, in time and as it should.
#include "faults/kinds/names.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class Exit : public Check {
 public:
  ServiceId service;
  std::optional<Duration> within;
  std::optional<int> code;
  std::optional<faults::Signal> signal;

  static const Fields<Exit>& fields() {
    static const auto all = Fields<Exit>()
                                .required("service", &Exit::service, "The service whose process ends.")
                                .optional("within", &Exit::within,
                                          "So soon after the window's begin; left out: at some time in it.")
                                .optional("code", &Exit::code, "The code it exits with.")
                                .optional("signal", &Exit::signal, "The signal that ends it.")
                                .rule([](const Exit& check, const json::Value& object, ErrorList& errors) {
                                  if (check.code && check.signal)
                                    errors.push_back(json::error_at(
                                        object.span, "a process exits with a `code` or by a `signal`"));
                                });
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::service, service.text, "service"}};
  }
  Duration needs() const override { return within.value_or(Duration::zero()); }
  bool settles() const override { return true; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = service.text + " exits" + (code ? " with code " + std::to_string(*code) : "") +
                      (signal ? " by " + signal_name(static_cast<int>(*signal)) : "") +
                      (within ? " within " + to_text(*within) : "");
    const auto& window = question.window;
    const auto life = life_at(service, window.begin, window.end, question.history);
    if (!life) return inconclusive(result, "no process of " + service.text + " ran in the window");
    result.samples = 1;
    if (!life->exited || life->in_teardown || !window.contains(*life->exited)) {
      result.actual = "pid " + std::to_string(life->pid) + " did not exit in the window";
      if (within && window.end < window.begin + *within)
        return inconclusive(result, "the window closed before " + to_text(*within) + " were over");
      show(result, life->started_event);
      result.verdict = Verdict::failed;
      return result;
    }
    result.actual = "pid " + std::to_string(life->pid) + " " + how_it_ended(*life) + " " +
                    brief(*life->exited - window.begin) + " after the window began";
    const bool right = (!within || *life->exited <= window.begin + *within) &&
                       (!code || life->code == *code) &&
                       (!signal || life->signal == static_cast<int>(*signal));
    if (!right) show(result, life->exited_event);
    result.verdict = right ? Verdict::passed : Verdict::failed;
    return result;
  }
};

}  // namespace

CheckKind exit_kind() {
  return make_kind<Exit>({
      .name = "exit",
      .summary = "A service's process ends, in time and with the right code or signal.",
      .details =
          "Judges the first process of the service that ran in the window: it ends in it, no later than "
          "`within` after its begin, with `code` or by `signal` when one is named. An exit that breakwire "
          "caused by stopping the services at the end of the run does not count.",
      .example = R"({ "check": "exit", "service": "orders", "after": "term", "within": "3s", "code": 0 })",
  });
}

}  // namespace breakwire::checks
