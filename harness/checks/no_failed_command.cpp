// no_failed_command: a load that is a command ends well. Universal.
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class NoFailedCommand : public Check {
 public:
  static const Fields<NoFailedCommand>& fields() {
    static const Fields<NoFailedCommand> none;
    return none;
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "every load that is a command exits with code 0, or runs to its `for`";
    const auto& loads = question.history.setup().loads;
    std::vector<std::string> wrong, running;
    for (const auto& load : loads) {
      if (!load.command()) continue;
      ++result.samples;
      const auto [event, ended] = end_of(load.id, question.history);
      if (!ended) {
        running.push_back(load.id.text);
      } else if (!ended->timed_out && ended->code != 0) {
        wrong.push_back(load.id.text + " " + how(*ended) + " at " + moment(event->at, question) +
                        last_words(*ended));
        show(result, event->number);
      }
    }
    if (result.samples == 0) return skipped(result, "no load is a command");
    if (wrong.empty() && !running.empty())
      return inconclusive(result, "the run ended before `" + running.front() + "` did");
    result.actual = wrong.empty() ? counted(result.samples, "command") + ", none failed" : sentence(wrong);
    result.verdict = wrong.empty() ? Verdict::passed : Verdict::failed;
    return result;
  }

 private:
  static std::pair<const history::Event*, const history::CommandEnded*> end_of(
      const LoadId& load, const history::History& history) {
    for (const auto& event : history.events()) {
      const auto* ended = std::get_if<history::CommandEnded>(&event.what);
      if (ended && ended->name == load.text) return {&event, ended};
    }
    return {};
  }
  static std::string how(const history::CommandEnded& ended) {
    if (ended.code) return "exited with code " + std::to_string(*ended.code);
    return ended.signal ? "was ended by " + signal_name(*ended.signal) : "ended nobody knows how";
  }
  static std::string last_words(const history::CommandEnded& ended) {
    return ended.last_output.empty() ? ", having printed nothing"
                                     : ", its last line: \"" + ended.last_output.back() + "\"";
  }
};

}  // namespace

CheckKind no_failed_command_kind() {
  return make_kind<NoFailedCommand>({
      .name = "no_failed_command",
      .summary = "No load that is a command fails by itself.",
      .details =
          "Judges every load that is a `command`: it ends by itself with exit code 0, or runs until "
          "breakwire ends it after its `for` and at the end of the run, whatever code it gives then. Any "
          "other code, and a signal that nobody sent it, is a failure: it is how your own client says that "
          "something was wrong. Without such a load the check is `skipped`.",
      .example = R"({ "check": "no_failed_command" })",
      .universal = true,
  });
}

}  // namespace breakwire::checks
