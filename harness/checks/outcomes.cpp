// outcomes: with which status codes the load's calls end.
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class Outcomes : public Check {
 public:
  std::optional<LoadId> load;
  std::optional<std::vector<StatusCode>> only;
  std::map<StatusCode, CountOrPercent> at_least, at_most;

  static const Fields<Outcomes>& fields() {
    static const auto all =
        Fields<Outcomes>()
            .optional("load", &Outcomes::load, "Calls of this load; left out: of all loads.")
            .optional("only", &Outcomes::only, "Every call ends with one of these codes.")
            .optional("at_least", &Outcomes::at_least,
                      "For each code, so many calls (3) or such a share (\"99%\") end with it.")
            .optional("at_most", &Outcomes::at_most,
                      "For each code, no more calls (3) or no larger share (\"1%\") end with it.")
            .rule([](const Outcomes& check, const json::Value& object, ErrorList& errors) {
              if (check.only || !check.at_least.empty() || !check.at_most.empty()) return;
              errors.push_back(json::error_at(object.span, "`outcomes` says nothing about the calls",
                                              "give at least one of `only`, `at_least` and `at_most`"));
            });
    return all;
  }
  std::vector<Reference> references() const override { return reference(load); }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = expectation();
    std::map<StatusCode, uint64_t> counts;
    std::vector<std::string> wrong;
    std::string first_stray, first_open;
    uint64_t never_ended = 0;
    const auto calls = calls_in(load, question);
    for (const auto* call : calls) {
      if (!call->done) {
        if (++never_ended == 1) first_open = name_of(*call);
        show(result, call->issued_event);
        continue;
      }
      const StatusCode status = call->done->status;
      ++counts[status];
      if (!only || std::find(only->begin(), only->end(), status) != only->end()) continue;
      show(result, call->done_event);
      if (first_stray.empty()) {
        first_stray = "first other: " + name_of(*call) + " " + std::string(to_text(status)) + " at " +
                      moment(call->done_at, question) +
                      (call->done->message.empty() ? "" : ", \"" + call->done->message + "\"");
      }
    }
    result.samples = calls.size();
    if (!first_stray.empty()) wrong.push_back(first_stray);
    if (never_ended > 0) wrong.push_back(counted(never_ended, "call") + " never ended, first " + first_open);
    for (const auto& [code, amount] : at_least) {
      if (reached(counts[code], amount, calls.size())) continue;
      wrong.push_back("too few " + std::string(to_text(code)));
      for (const auto* call : calls) {
        if (call->done && call->done->status != code) show(result, call->done_event);
      }
    }
    for (const auto& [code, amount] : at_most) {
      if (!exceeded(counts[code], amount, calls.size())) continue;
      wrong.push_back("too many " + std::string(to_text(code)));
      for (const auto* call : calls) {
        if (call->done && call->done->status == code) show(result, call->done_event);
      }
    }
    std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
    result.actual = tally(counts) + (wrong.empty() ? "" : "; " + sentence(wrong));
    result.verdict = wrong.empty() ? Verdict::passed : Verdict::failed;
    return result;
  }

 private:
  static bool reached(uint64_t count, const CountOrPercent& amount, size_t total) {
    if (!amount.percent) return count >= amount.count.value_or(0);
    return static_cast<double>(count) * 100 >= *amount.percent * static_cast<double>(total);
  }
  static bool exceeded(uint64_t count, const CountOrPercent& amount, size_t total) {
    if (!amount.percent) return count > amount.count.value_or(0);
    return static_cast<double>(count) * 100 > *amount.percent * static_cast<double>(total);
  }
  std::string expectation() const {
    std::vector<std::string> parts;
    if (only) parts.push_back("every call ends with " + any_of(*only));
    for (const auto& [code, amount] : at_least)
      parts.push_back("at least " + to_text(amount) + " " + std::string(to_text(code)));
    for (const auto& [code, amount] : at_most)
      parts.push_back("at most " + to_text(amount) + " " + std::string(to_text(code)));
    return sentence(parts);
  }
};

}  // namespace

CheckKind outcomes_kind() {
  return make_kind<Outcomes>({
      .name = "outcomes",
      .summary = "The load's calls end with the status codes they should.",
      .details =
          "Judges each call that the load issued in the window by the one final status that the client's "
          "library gave it, after whatever retries the library made. Shares are of all calls issued in the "
          "window, those that never ended included; a call that never ended is a failure whatever else is "
          "asked. Of a load that is a command, calls and their codes are what its edge showed.\n\n"
          "Sources: grpc/grpc doc/statuscodes.md.",
      .example =
          R"({ "check": "outcomes", "load": "shoppers", "only": ["OK", "UNAVAILABLE"], "at_least": { "OK": "99%" } })",
  });
}

}  // namespace breakwire::checks
