// recovers: from some moment on, calls are fine again.
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class Recovers : public Check {
 public:
  std::optional<LoadId> load;
  Duration within{};
  std::vector<StatusCode> status{StatusCode::ok};
  Percent share{100};

  static const Fields<Recovers>& fields() {
    static const auto all =
        Fields<Recovers>()
            .optional("load", &Recovers::load, "Calls of this load; left out: of all loads.")
            .required("within", &Recovers::within, "So soon after the window's begin all is well again.")
            .optional("status", &Recovers::status, "What a call that is well ends with.")
            .optional("share", &Recovers::share, "How many of the calls from then on must be well.");
    return all;
  }
  std::vector<Reference> references() const override { return reference(load); }
  Duration needs() const override { return within; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "at most " + to_text(within) + " after the window begins, and from then on, " +
                      Codec<Percent>::show(share) + " of the calls end with " + any_of(status);
    const auto calls = calls_in(load, question);
    const Instant limit = question.window.begin + within;
    // From the last call backwards: the longest run of calls to the end that is well enough.
    size_t good = 0, from = calls.size();
    for (size_t i = calls.size(); i-- > 0;) {
      if (is_well(*calls[i])) ++good;
      const bool enough =
          static_cast<double>(good) * 100 >= share.value * static_cast<double>(calls.size() - i);
      if (enough && is_well(*calls[i])) from = i;
    }
    const size_t after_limit = static_cast<size_t>(std::count_if(
        calls.begin(), calls.end(), [&](const auto* call) { return call->issued_at >= limit; }));
    if (from < calls.size() && calls[from]->issued_at <= limit) {
      result.samples = calls.size() - from;
      result.actual = from == 0 ? "well from the first call on"
                                : "well " + brief(calls[from]->issued_at - question.window.begin) +
                                      " after the window began";
      result.actual += "; " + counted(result.samples, "call") + " from then on";
      if (after_limit == 0) return unseen(result);
      result.verdict = Verdict::passed;
      return result;
    }
    result.samples = after_limit;
    std::map<StatusCode, uint64_t> counts;
    uint64_t open = 0;
    const history::Calls::LoadCall* last_bad = nullptr;
    for (const auto* call : calls) {
      if (call->issued_at < limit) continue;
      call->done ? ++counts[call->done->status] : ++open;
      if (is_well(*call)) continue;
      last_bad = call;
      show(result, call->done ? call->done_event : call->issued_event);
    }
    if (after_limit == 0) return unseen(result);
    result.actual = "of " + counted(after_limit, "call") + " issued later: " + tally(counts) +
                    (open > 0 ? ", " + std::to_string(open) + " never ended" : "");
    if (last_bad)
      result.actual += "; last bad " + name_of(*last_bad) + " at " + moment(last_bad->issued_at, question);
    result.verdict = Verdict::failed;
    return result;
  }

 private:
  /// "And stay so" takes calls from the time when all should be well, whatever those before them showed.
  CheckResult unseen(CheckResult result) const {
    return inconclusive(std::move(result),
                        "no call was issued later than " + to_text(within) + " after the window began");
  }
  bool is_well(const history::Calls::LoadCall& call) const {
    return call.done && std::find(status.begin(), status.end(), call.done->status) != status.end();
  }
};

}  // namespace

CheckKind recovers_kind() {
  return make_kind<Recovers>({
      .name = "recovers",
      .summary = "When the fault is over, calls are fine again soon, and stay so.",
      .details =
          "Looks for the earliest call of the window from which on at least `share` of the calls end with "
          "one of `status`, to the end of the run; it must have been issued no later than `within` after "
          "the window's begin. The samples are the calls from that one on: let the load outlast `within`, "
          "and set `min_samples`. When nothing was issued after `within`, the check is inconclusive, "
          "however well the calls before it went.",
      .example =
          R"({ "check": "recovers", "load": "shoppers", "after": "dead", "within": "2s", "min_samples": 20 })",
  });
}

}  // namespace breakwire::checks
