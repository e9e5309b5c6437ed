// breaker: a circuit breaker opens, sheds, probes and closes, judged from outside.
#include <algorithm>

#include "harness/checks/connections.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/passed_on.h"
#include "harness/checks/percentile.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using history::Attempt;

constexpr Duration least_leeway = 20ms;

class Breaker : public Check {
 public:
  EdgeId on;
  std::optional<Duration> opens_within, open_period, closes_within;
  uint64_t min_probes = 1, max_probes = 1, attempts_per_probe = 1;
  Duration shed_within = 100ms;
  std::vector<StatusCode> status{StatusCode::unavailable};
  std::optional<std::string> method;

  static const Fields<Breaker>& fields() {
    static const auto all =
        Fields<Breaker>()
            .required("on", &Breaker::on, "The edge that the breaker guards; its caller has the breaker.")
            .optional("opens_within", &Breaker::opens_within,
                      "So soon after the window's begin the circuit is open, and stays so, probes aside, to "
                      "the window's end. Left out: opening and shedding are not judged.")
            .optional("open_period", &Breaker::open_period,
                      "How long an open circuit waits before it lets a probe through; goes with "
                      "`opens_within`.")
            .optional(
                "min_probes", &Breaker::min_probes,
                "So many attempts at least are let through while the circuit is open, where there is time "
                "for that many open periods.")
            .optional("max_probes", &Breaker::max_probes,
                      "So many probes are let through per `open_period`, and are under way at a time.")
            .optional("attempts_per_probe", &Breaker::attempts_per_probe,
                      "So many attempts may be made of one probe, retries included.")
            .optional("shed_within", &Breaker::shed_within,
                      "99% of the shed calls are answered so soon after they reached the caller.")
            .optional("status", &Breaker::status, "What a shed call ends with: one of these codes.")
            .optional("closes_within", &Breaker::closes_within,
                      "From so long after the window's end on, every call is passed on again. Left out: "
                      "closing is not judged.")
            .optional("method", &Breaker::method,
                      "The methods of the caller that need the edge, `*` matches any characters; left out: "
                      "those of which some call was passed on.")
            .rule(check_parts);
    return all;
  }
  std::vector<Reference> references() const override { return {{Reference::To::edge, on.text, "on"}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = expectation();
    const Offers offers = offers_for(on, method, question);
    if (!offers.unclear.empty()) return inconclusive(result, offers.unclear);
    Findings findings;
    if (opens_within) judge_open(question, offers, findings, result);
    if (closes_within) judge_closed(question, offers, findings, result);
    result.actual = sentence(findings.parts);
    if (findings.wrong) return failed(std::move(result));
    if (!findings.unproved.empty()) return inconclusive(result, findings.unproved);
    result.evidence.clear();
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  struct Findings {
    std::vector<std::string> parts;
    bool wrong = false;
    std::string unproved;

    void blame(const std::string& what) {
      parts.push_back(what);
      wrong = true;
    }
    void doubt(const std::string& why) {
      if (unproved.empty()) unproved = why;
    }
  };

  static void check_parts(const Breaker& check, const json::Value& object, ErrorList& errors) {
    if (!check.opens_within && !check.closes_within) {
      errors.push_back(json::error_at(object.span, "`breaker` says nothing about the circuit",
                                      "give `opens_within`, `closes_within`, or both"));
    }
    if (check.opens_within.has_value() != check.open_period.has_value()) {
      errors.push_back(json::error_at(object.span, "`opens_within` and `open_period` go together"));
    } else if (check.open_period && *check.open_period <= least_leeway) {
      errors.push_back(json::error_at(
          object.find("open_period")->span, "`open_period` must be longer than 20ms",
          "by so much the times of two probes may be off, and what is shorter could not be judged"));
    }
    if (check.max_probes == 0 || check.attempts_per_probe == 0) {
      errors.push_back(json::error_at(object.span, "a breaker that lets no probe through never closes",
                                      "`max_probes` and `attempts_per_probe` are 1 or more"));
    }
  }

  // From `opens_within` to the window's end: nothing but probes on the edge, everything else shed.
  void judge_open(const Question& question, const Offers& offers, Findings& findings,
                  CheckResult& result) const {
    const Instant from = question.window.begin + *opens_within, to = question.window.end;
    const Connections connections(on, question.history);
    if (from >= to) return findings.doubt("the window was over before the circuit had to be open");
    std::vector<const Attempt*> inside;
    uint64_t failed = 0;
    for (const auto* attempt : question.calls.attempts(on)) {
      if (!question.window.contains(attempt->received)) continue;
      if (says_it_cannot_serve(*attempt)) ++failed;
      if (attempt->received >= from) inside.push_back(attempt);
    }
    findings.parts.push_back(counted(failed, "failed attempt") + " on " + on.text + " in the window");
    if (failed == 0) findings.doubt("nothing failed on " + on.text + ", so there was no reason to open");
    findings.parts.push_back(counted(inside.size(), "attempt") + " there while it should be open");
    judge_rate(inside, question, findings, result);
    judge_overlap(inside, question, findings, result);
    if (failed > 0) judge_probing(inside.size(), from, offers, connections, question, findings, result);

    std::vector<const Attempt*> shed;
    uint64_t offered = 0, unconnected = 0;
    for (const auto& [call, passed_on] : offers.calls) {
      if (call->received < from || call->received >= to) continue;
      ++offered;
      if (passed_on) continue;
      // Without a connection a call fails at once with no breaker at all.
      connections.any_at(call->received) ? shed.push_back(call) : (void)++unconnected;
    }
    result.samples += offered;
    findings.parts.push_back(counted(shed.size(), "call") + " shed");
    if (unconnected > 0)
      findings.parts.push_back(counted(unconnected, "call") + " without a connection on " + on.text +
                               " prove nothing");
    if (offered == 0) return findings.doubt("no call was offered while the circuit should be open");
    if (shed.empty()) {
      return findings.doubt(unconnected > 0 ? "there was no connection on " + on.text +
                                                  ": without one calls fail with no breaker at all"
                                            : "no call was shed");
    }
    judge_shed(shed, findings, result);
    judge_retries(shed, offers, question, findings, result);
  }

  /// By so much the caller's clock and what the relay saw of it may differ in an open period: the caller's
  /// starts when the HEADERS left it or an answer came, and the relay may have read those of a probe late.
  Duration leeway() const { return std::max<Duration>(least_leeway, *open_period / 10); }

  /// At least `min_probes` attempts, if calls were offered when so many had to be let through. A probe that
  /// is under way keeps the next one waiting, and so may any attempt from before.
  void judge_probing(uint64_t attempts, Instant from, const Offers& offers, const Connections& connections,
                     const Question& question, Findings& findings, CheckResult& result) const {
    if (attempts >= min_probes) return;
    Instant due = from;
    for (const auto* attempt : question.calls.attempts(on)) {
      if (attempt->received < from) due = std::max(due, attempt->ended_at().value_or(question.window.end));
    }
    due += static_cast<int64_t>(min_probes) * *open_period + leeway();
    bool offered = false;
    for (const auto& [call, passed_on] : offers.calls) {
      if (call->received < due || call->received >= question.window.end) continue;
      if (!connections.any_at(call->received)) continue;
      offered = true;
      show(result, call->event);
    }
    if (!offered) return;
    findings.blame((attempts == 0 ? "no probe was" : "only " + std::to_string(attempts) + " probes were") +
                   std::string(" let through, and by ") + moment(due, question) + " " +
                   counted(min_probes, "probe") + " had to be");
  }

  /// At most `max_probes * attempts_per_probe` attempts in any open period.
  void judge_rate(const std::vector<const Attempt*>& attempts, const Question& question, Findings& findings,
                  CheckResult& result) const {
    const Duration period = *open_period - leeway();
    size_t most = 0, first = 0;
    for (size_t i = 0, past = 0; i < attempts.size(); ++i) {
      past = std::max(past, i);
      while (past < attempts.size() && attempts[past]->received < attempts[i]->received + period) ++past;
      if (past - i > most) {
        most = past - i;
        first = i;
      }
    }
    if (most <= max_probes * attempts_per_probe) return;
    findings.blame(counted(most, "attempt") + " within one open period from " +
                   moment(attempts[first]->received, question) + " on: the circuit is not open");
    for (size_t i = first; i < first + most; ++i) show(result, attempts[i]->event);
  }

  /// At most `max_probes` attempts that were begun while the circuit should be open are under way at a time.
  void judge_overlap(const std::vector<const Attempt*>& attempts, const Question& question,
                     Findings& findings, CheckResult& result) const {
    for (size_t i = 0; i < attempts.size(); ++i) {
      std::vector<const Attempt*> running;
      for (size_t j = 0; j <= i; ++j) {
        const auto ended = attempts[j]->ended_at();
        if (!ended || *ended > attempts[i]->received) running.push_back(attempts[j]);
      }
      if (running.size() <= max_probes) continue;
      findings.blame(counted(running.size(), "probe") + " under way at a time at " +
                     moment(attempts[i]->received, question));
      for (const auto* attempt : running) show(result, attempt->event);
      return;
    }
  }

  void judge_shed(const std::vector<const Attempt*>& shed, Findings& findings, CheckResult& result) const {
    std::map<StatusCode, uint64_t> codes;
    std::vector<std::pair<Duration, const Attempt*>> times;
    uint64_t open = 0, wrong = 0;
    std::string first_wrong;
    for (const auto* call : shed) {
      const auto outcome = call->seen_by_caller();
      outcome ? ++codes[*outcome] : ++open;
      if (!outcome || std::find(status.begin(), status.end(), *outcome) == status.end()) {
        if (++wrong == 1) first_wrong = name_of(*call);
        show(result, call->end ? call->end->event : call->event);
      }
      if (call->end) times.emplace_back(call->end->received - call->forwarded.value_or(call->received), call);
    }
    findings.parts.push_back(tally(codes) + (open > 0 ? ", " + std::to_string(open) + " never ended" : ""));
    if (wrong > 0)
      findings.blame(std::to_string(wrong) + " not with " + any_of(status) + ", first " + first_wrong);
    if (times.empty()) return;
    std::sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const Duration p99 = times[nearest_rank(times.size(), 0.99)].first;
    findings.parts.push_back("p99 " + brief(p99));
    if (p99 <= shed_within) return;
    findings.blame("too slow, slowest " + name_of(*times.back().second) + " with " +
                   brief(times.back().first));
    for (auto time = times.rbegin(); time != times.rend() && time->first > shed_within; ++time)
      show(result, time->second->end->event);
  }

  /// A shed call is over: whoever tries it again is only shed again, and keeps the load up.
  void judge_retries(const std::vector<const Attempt*>& shed, const Offers& offers, const Question& question,
                     Findings& findings, CheckResult& result) const {
    uint64_t retried = 0, unclear = 0;
    std::string first, why;
    const auto was_shed = [&](const Attempt* call) {
      return std::find(shed.begin(), shed.end(), call) != shed.end();
    };
    for (const auto& inbound : offers.inbound) {
      const auto joined = question.calls.join(inbound);
      for (const auto& call : joined.calls) {
        for (size_t i = 0; i + 1 < call.attempts.size(); ++i) {
          if (!was_shed(call.attempts[i])) continue;
          if (++retried == 1) first = name_of(*call.attempts[i + 1]);
          show(result, call.attempts[i + 1]->event);
        }
      }
      for (const auto* attempt : joined.ambiguous_attempts) {
        const bool after_a_shed_one = std::any_of(shed.begin(), shed.end(), [&](const Attempt* call) {
          return call->trace_id == attempt->trace_id && call->received < attempt->received;
        });
        if (after_a_shed_one) ++unclear;
      }
      if (unclear > 0 && why.empty()) why = joined.why_ambiguous;
    }
    if (retried > 0) findings.blame(counted(retried, "shed call") + " tried again, first " + first);
    if (unclear > 0)
      findings.doubt(counted(unclear, "call") + " may be a shed one that was tried again; " + why);
  }

  // From `closes_within` after the window on: every call is passed on.
  void judge_closed(const Question& question, const Offers& offers, Findings& findings,
                    CheckResult& result) const {
    const Instant limit = question.window.end + *closes_within;
    const Connections connections(on, question.history);
    uint64_t shed_before = 0, after = 0, shed_after = 0;
    const Attempt* last_shed = nullptr;
    for (const auto& [call, passed_on] : offers.calls) {
      if (call->received < question.window.begin) continue;
      if (!passed_on) last_shed = call;
      if (call->received < limit) {
        if (!passed_on && connections.any_at(call->received)) ++shed_before;
        continue;
      }
      ++after;
      if (passed_on) continue;
      ++shed_after;
      show(result, call->end ? call->end->event : call->event);
    }
    result.samples += after;
    findings.parts.push_back(counted(after, "call") + " offered when it should be closed again");
    if (last_shed) {
      findings.parts.push_back(last_shed->received < question.window.end
                                   ? "none shed after the window"
                                   : "the last shed one came " +
                                         brief(last_shed->received - question.window.end) +
                                         " after the window");
    }
    if (shed_before == 0) findings.doubt("no call was shed before, so the circuit was never open");
    if (after == 0)
      findings.doubt("no call was offered later than " + to_text(*closes_within) + " after the window");
    if (shed_after > 0 && shed_before > 0)
      findings.blame(std::to_string(shed_after) + " of them not passed on: the circuit does not close");
    if (shed_after > 0 && shed_before == 0) result.evidence.clear();
  }

  static bool says_it_cannot_serve(const Attempt& attempt) {
    const auto outcome = attempt.seen_by_caller();
    if (!outcome) return true;  // no answer to this day
    switch (*outcome) {
      case StatusCode::cancelled:
      case StatusCode::unknown:
      case StatusCode::deadline_exceeded:
      case StatusCode::resource_exhausted:
      case StatusCode::aborted:
      case StatusCode::internal:
      case StatusCode::unavailable:
      case StatusCode::data_loss:
        return true;
      default:
        return false;
    }
  }

  std::string expectation() const {
    std::vector<std::string> parts;
    if (opens_within) {
      parts.push_back("from " + to_text(*opens_within) + " after the window begins at most " +
                      counted(max_probes * attempts_per_probe, "attempt") + " per " + to_text(*open_period) +
                      " on " + on.text + ", " + counted(max_probes, "probe") + " at a time" +
                      (min_probes > 0 ? ", and at least " + std::to_string(min_probes) + " in all" : ""));
      parts.push_back("all else is shed with " + any_of(status) + ", 99% within " + to_text(shed_within) +
                      ", and not tried again");
    }
    if (closes_within)
      parts.push_back("from " + to_text(*closes_within) +
                      " after the window ends every call is passed on to " + on.text + " again");
    return sentence(parts);
  }
};

}  // namespace

CheckKind breaker_kind() {
  return make_kind<Breaker>({
      .name = "breaker",
      .summary = "A circuit breaker opens, sheds, probes and closes, judged from outside.",
      .details =
          "The breaker is in the caller on `on`. It is not asked; what shows is which calls at the caller "
          "(on "
          "its inbound edges) led to an attempt on `on`: they share a trace id, and the attempt begins while "
          "the call lasts. A call that led to none was shed. Only methods are judged of which some call of "
          "the run was passed on, or those of `method`; calls without a trace id, and calls that a fault "
          "answered or kept "
          "before they reached the caller, do not count. Take the fault "
          "that makes the dependency fail as the window: `during`.\n\n"
          "With `opens_within`: from then to the window's end, no more than `max_probes` times "
          "`attempts_per_probe` attempts begin on `on` in any `open_period` (less 10% and at least 20 ms, by "
          "which the relay may have read the earlier one late), and of these no more than `max_probes` are "
          "under way at a time; those begun before the circuit had to be open may hang on. At least "
          "`min_probes` begin meanwhile, or the caller would never find out that its dependency is back; "
          "this "
          "is asked once that many open periods have passed since the circuit had to be open and all "
          "attempts "
          "from before were over, and calls are offered then. The calls shed "
          "meanwhile end with one of `status`, 99% of them within `shed_within`, counted from when they were "
          "forwarded to the caller to when its answer was read; and no further attempt of them follows on "
          "the inbound edge, by its `correlate`. Calls at a time when no connection was up on `on` are left "
          "out: without one a call fails at once where there is no breaker at all. Inconclusive where "
          "nothing failed on `on` in the window (there was no reason to open), or nothing was shed.\n\n"
          "With `closes_within`: every call that reaches the caller later than that after the window's end "
          "leads to an attempt on `on`, whatever comes of it. A breaker that waits for ever for a lost probe "
          "shows here. Inconclusive where no call was shed before (it never opened), or none was offered "
          "afterwards: let the load outlast it.\n\n"
          "Sources: reference/scenario-catalogue, CB-01 and CB-02; gRFC A6 (grpc-retry-pushback-ms).",
      .example =
          R"({ "check": "breaker", "on": "orders->inventory", "during": "down", "opens_within": "1200ms", "open_period": "500ms", "shed_within": "50ms", "closes_within": "1s" })",
  });
}

}  // namespace breakwire::checks
