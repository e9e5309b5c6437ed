// command: the user's own program judges.
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class Command : public Check {
 public:
  std::vector<std::string> run;
  Duration within = 10s;
  unsigned exit_code = 0;

  static const Fields<Command>& fields() {
    static const auto all =
        Fields<Command>()
            .required("run", &Command::run,
                      "The program and its arguments; `${…}` as in a service's `run`, and every edge.")
            .optional("within", &Command::within, "It ends in this time, or is killed.")
            .optional("exit_code", &Command::exit_code, "The code it exits with when all is well.")
            .rule([](const Command& check, const json::Value& object, ErrorList& errors) {
              if (check.run.empty() || check.run.front().empty())
                errors.push_back(json::error_at(object.span, "`run` names no program",
                                                "such as [\"./verify.sh\", \"${client->shop}\"]"));
              if (check.within <= Duration::zero())
                errors.push_back(json::error_at(object.span, "`within` leaves the command no time"));
              if (check.exit_code > 255)
                errors.push_back(json::error_at(object.span, "an exit code is 0 to 255"));
            });
    return all;
  }
  std::vector<Wish> wishes() const override { return {CommandWish{run, within}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected =
        "`" + run.front() + "` exits with code " + std::to_string(exit_code) + " within " + to_text(within);
    const history::CommandEnded* ended = nullptr;
    EventNumber number;
    bool settling = false;  // a load's command may have the same name, and ends before
    for (const auto& event : question.history.events()) {
      if (const auto* began = std::get_if<history::PhaseBegan>(&event.what))
        settling = settling || began->phase == history::Phase::settling;
      const auto* one = std::get_if<history::CommandEnded>(&event.what);
      if (!one || !settling || one->name != question.name) continue;
      ended = one;
      number = event.number;
    }
    if (!ended) return inconclusive(result, "the command was not run: the run ended before it could be");
    if (!ended->error.empty()) {
      show(result, number);
      return inconclusive(result, "the command could not be run: " + ended->error);
    }
    result.samples = 1;
    result.actual = how(*ended);
    if (!ended->timed_out && ended->code == static_cast<int>(exit_code)) {
      result.verdict = Verdict::passed;
      return result;
    }
    std::string output;
    for (const auto& line : ended->last_output) output += (output.empty() ? "" : " | ") + line;
    result.actual += output.empty() ? "; it printed nothing" : "; its last output: " + output;
    show(result, number);
    result.verdict = Verdict::failed;
    return result;
  }

 private:
  std::string how(const history::CommandEnded& ended) const {
    if (ended.timed_out) return "it had not ended within " + to_text(within) + " and was killed";
    if (ended.signal) return "it was ended by " + signal_name(*ended.signal);
    return "it exited with code " + std::to_string(ended.code.value_or(-1));
  }
};

}  // namespace

CheckKind command_kind() {
  return make_kind<Command>({
      .name = "command",
      .summary = "The user's own program looks, and says by its exit code whether all is well.",
      .details =
          "Runs the program once, when the loads are over, everything has settled and the ledgers have been "
          "read, while the services still run; passes when it ends in time with `exit_code`. Several run one "
          "after the other, in the order of the file. It is a child of breakwire's guard, so neither it nor "
          "what it starts outlives the check. It runs where breakwire was started and with its environment, "
          "nothing on its standard input; what it prints goes to logs/ in the report folder, and its last "
          "lines into the result when it fails. In `run`, `${bin}`, `${env.X}` and every edge may be named: "
          "`${client->shop}`, `${shop->db.url}`. What it sends over an edge is on the wire like any other "
          "call, "
          "and judged with them. A window makes no difference to it. Inconclusive when it could not be "
          "started, or the run ended before.",
      .example = R"({ "check": "command", "run": ["./verify.sh", "${client->storefront}"], "within": "5s" })",
  });
}

}  // namespace breakwire::checks
