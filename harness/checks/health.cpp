// health: what a service says of itself, seen from outside.
#include "harness/checks/make_kind.h"
#include "harness/checks/names.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {

struct Transitions {
  uint64_t at_most = 0;
  static const Fields<Transitions>& fields() {
    static const auto all = Fields<Transitions>().required(
        "at_most", &Transitions::at_most, "How often an answer may differ from the one before it.");
    return all;
  }
};

namespace {

using history::HealthStatus;

class Health : public Check {
 public:
  ServiceId service;
  Probe probe = Probe::readiness;
  std::optional<HealthStatus> is, throughout;
  std::optional<Duration> within;
  std::optional<Transitions> transitions;

  static const Fields<Health>& fields() {
    static const auto all =
        Fields<Health>()
            .required("service", &Health::service, "The service that is asked.")
            .optional("probe", &Health::probe,
                      "Which of its health names: `readiness`, `liveness`, or `server` for the name \"\".")
            .optional("is", &Health::is, "It gives this answer at some time in the window.")
            .optional("within", &Health::within, "With `is`: so soon after the window's begin.")
            .optional("throughout", &Health::throughout, "It gives no other answer in the window.")
            .optional("transitions", &Health::transitions, "How often its answer may change in the window.")
            .rule([](const Health& check, const json::Value& object, ErrorList& errors) {
              if (!check.is && !check.throughout && !check.transitions) {
                errors.push_back(json::error_at(object.span, "`health` says nothing about the answers",
                                                "give `is`, `throughout` or `transitions`"));
              }
              if (check.within && !check.is)
                errors.push_back(json::error_at(object.span, "`within` needs `is`"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::service, service.text, "service"}};
  }
  Duration needs() const override { return within.value_or(Duration::zero()); }
  bool settles() const override { return is && !throughout && !transitions; }
  std::vector<Wish> wishes() const override {
    return {HealthWish{service, probe == Probe::server ? "" : std::string(to_text(probe))}};
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = expectation();
    const std::string name = health_name(probe, service, question.history.setup());
    std::vector<Answer> answers;
    history::each<history::HealthSeen>(question.history, [&](const history::Event& event, const auto& seen) {
      if (seen.service != service || seen.name != name) return;
      // An answer to a question from before the window may tell of that time.
      if (seen.asked < question.window.begin || !question.window.contains(event.at)) return;
      answers.push_back({&event, &seen});
    });
    result.samples = answers.size();
    std::map<HealthStatus, uint64_t> counts;
    for (const auto& answer : answers) ++counts[answer.seen->status];
    std::vector<std::string> seen, wrong;
    for (const auto& [status, count] : counts)
      seen.push_back(std::to_string(count) + " " + std::string(history::to_text(status)));
    if (answers.empty()) seen.push_back("no answer");
    result.verdict = Verdict::passed;

    if (is) {
      const std::string verdict = judge_is(question, answers, seen, result);
      if (!verdict.empty()) wrong.push_back(verdict);
    }
    if (throughout) {
      uint64_t others = 0;
      const Answer* first = nullptr;
      for (const auto& answer : answers) {
        if (answer.seen->status == *throughout) continue;
        if (++others == 1) first = &answer;
        show(result, answer.event->number);
      }
      if (others > 0) wrong.push_back(std::to_string(others) + " other, first " + told(*first, question));
    }
    if (transitions) {
      uint64_t changes = 0;
      for (size_t i = 1; i < answers.size(); ++i) {
        if (answers[i].seen->status == answers[i - 1].seen->status) continue;
        if (++changes > transitions->at_most) show(result, answers[i].event->number);
      }
      const std::string text = counted(changes, "change");
      (changes > transitions->at_most ? wrong : seen).push_back(text);
    }
    if (!wrong.empty()) result.verdict = Verdict::failed;
    for (auto& text : wrong) seen.push_back(std::move(text));
    result.actual = sentence(seen);
    if (wrong.empty() && transitions && answers.size() < 2)
      return inconclusive(result, "fewer than two answers cannot show a change");
    return result;
  }

 private:
  struct Answer {
    const history::Event* event = nullptr;
    const history::HealthSeen* seen = nullptr;
  };

  static std::string told(const Answer& answer, const Question& question) {
    return std::string(history::to_text(answer.seen->status)) + " at " + moment(answer.event->at, question) +
           (answer.seen->error.empty() ? "" : " (" + answer.seen->error + ")");
  }

  /// What was wrong; empty when it was right, or (then `result` is inconclusive) cannot be said yet.
  std::string judge_is(const Question& question, const std::vector<Answer>& answers,
                       std::vector<std::string>& seen, CheckResult& result) const {
    const Instant begin = question.window.begin;
    const auto first = std::find_if(answers.begin(), answers.end(),
                                    [&](const Answer& answer) { return answer.seen->status == *is; });
    const std::string name{history::to_text(*is)};
    if (first != answers.end()) {
      const std::string when = name + " " + brief(first->event->at - begin) + " after the window began";
      if (!within || first->event->at <= begin + *within) {
        seen.push_back(when);
        return "";
      }
      show(result, first->event->number);
      return when;
    }
    if (within && question.window.end < begin + *within) {
      result.verdict = Verdict::inconclusive;
      result.reason = "the window closed before " + to_text(*within) + " were over";
      return "";
    }
    if (!answers.empty()) show(result, answers.back().event->number);
    return "never " + name;
  }

  std::string expectation() const {
    const std::string who = service.text + " (" + std::string(to_text(probe)) + ")";
    std::vector<std::string> parts;
    if (is) {
      parts.push_back(who + " is " + std::string(history::to_text(*is)) +
                      (within ? " within " + to_text(*within) : " at some time"));
    }
    if (throughout)
      parts.push_back(who + " is " + std::string(history::to_text(*throughout)) + " throughout");
    if (transitions) parts.push_back(who + " changes at most " + counted(transitions->at_most, "time"));
    return sentence(parts);
  }
};

}  // namespace

CheckKind health_kind() {
  return make_kind<Health>({
      .name = "health",
      .summary = "A service says of itself what is true: alive, able to serve, or not.",
      .details =
          "Judges the answers to grpc.health.v1 Check, asked every 50 ms on a connection of its own that "
          "no fault can touch, that were asked and given in the window. A Check without an answer in time "
          "is `UNREACHABLE`. `is` looks for one such answer, `within` counts from the window's begin to "
          "the moment the answer was there, so what is promised within 200 ms should be true after 150. "
          "`throughout` and `transitions` see what polling sees: a flap shorter than 50 ms can be missed. "
          "Liveness and readiness are separate names; what a service calls them is in its `health`.\n\n"
          "Sources: grpc/grpc doc/health-checking.md; Kubernetes, configure liveness and readiness probes.",
      .example =
          R"({ "check": "health", "service": "orders", "is": "NOT_SERVING", "within": "200ms", "after": "term" })",
  });
}

}  // namespace breakwire::checks
