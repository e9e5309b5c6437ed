// no_unexpected_exit: no service dies that nobody told to. Universal.
#include <csignal>

#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class NoUnexpectedExit : public Check {
 public:
  static const Fields<NoUnexpectedExit>& fields() {
    static const Fields<NoUnexpectedExit> none;
    return none;
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "no service exits that no fault and no teardown told to";
    const auto lives = history::process_lives(question.history);
    result.samples = lives.size();
    if (lives.empty()) return skipped(result, "breakwire started no process");
    std::vector<std::string> wrong;
    for (const auto& life : lives) {
      if (!life.exited || !is_unexpected(life, question.history)) continue;
      wrong.push_back(life.service.text + " (pid " + std::to_string(life.pid) + ") " + how_it_ended(life) +
                      " at " + moment(*life.exited, question) +
                      (life.in_teardown ? ", while being stopped" : ""));
      show(result, life.exited_event);
    }
    if (wrong.empty()) {
      result.actual = std::to_string(lives.size()) + (lives.size() == 1 ? " process" : " processes") +
                      ", no unexpected exit";
    } else {
      result.actual = sentence(wrong);
    }
    result.verdict = wrong.empty() ? Verdict::passed : Verdict::failed;
    return result;
  }

 private:
  static bool is_unexpected(const history::ProcessLife& life, const history::History& history) {
    static const std::vector<int> crashes{SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
    const bool crashed =
        life.signal && std::find(crashes.begin(), crashes.end(), *life.signal) != crashes.end();
    if (!crashed) return !life.ended_by && !life.in_teardown;
    bool asked_for = false;
    history::each<history::SignalSent>(history, [&](const auto&, const history::SignalSent& sent) {
      asked_for =
          asked_for || (sent.service == life.service && sent.pid == life.pid && sent.signal == *life.signal);
    });
    return !asked_for;
  }
};

}  // namespace

CheckKind no_unexpected_exit_kind() {
  return make_kind<NoUnexpectedExit>({
      .name = "no_unexpected_exit",
      .summary = "No service exits that no fault told to.",
      .details =
          "Judges every process that breakwire started. An exit is expected after a fault signalled or "
          "killed that process, and while breakwire stops the services at the end. A crash (SIGSEGV, "
          "SIGABRT, SIGBUS, SIGILL, SIGFPE) is always unexpected, a drain that crashes and a teardown that "
          "crashes included, unless that very signal was sent. Without processes of its own the check is "
          "`skipped`.",
      .example = R"({ "check": "no_unexpected_exit" })",
      .universal = true,
  });
}

}  // namespace breakwire::checks
