// backoff: how long a client waits before it tries again. Pure.
#include <algorithm>
#include <cmath>

#include "faults/match.h"
#include "harness/checks/backoff_schedule.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/percentile.h"
#include "harness/checks/retries.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using history::Attempt;

// A client's clock counts whole milliseconds from the moment it began to read, not from the answer's last
// byte.
constexpr Duration early = 5ms;
// Fewer gaps say nothing of how they are distributed: with 20, jitter that is there looks missing, or its
// mean wrong, less than once in 10,000 runs.
constexpr size_t enough = 20;

/// From the end of an attempt, as its caller saw it, to the HEADERS of the next.
struct Gap {
  const Attempt* before = nullptr;
  const Attempt* after = nullptr;
  Duration took{};
  WaitRange range;
  unsigned retry = 0;  // which retry of its call, counted since the last pushback; 0: after a pushback
  bool waited_for_line = false;  // its connection was made meanwhile: no upper bound
  bool distributed = false;      // nothing but the backoff decided when, or whether, it ends
};

class Backoff : public Check {
 public:
  EdgeId on;
  Duration initial{};
  double multiplier = 2;
  std::optional<Duration> max;
  Percent jitter{20};
  BackoffProfile profile = BackoffProfile::grpc_current;
  Duration slack = 50ms;
  Percent late{5};
  std::optional<std::string> method;

  static const Fields<Backoff>& fields() {
    static const auto all =
        Fields<Backoff>()
            .required("on", &Backoff::on, "The edge whose retries are timed.")
            .required("initial", &Backoff::initial, "The nominal wait before the first retry.")
            .optional("multiplier", &Backoff::multiplier,
                      "Each further wait is so many times the one before.")
            .optional("max", &Backoff::max, "No nominal wait is longer; left out: no cap.")
            .optional("jitter", &Backoff::jitter,
                      "How far a wait may lie from its nominal length; 0% asks for no jitter.")
            .optional("profile", &Backoff::profile,
                      "How the client's library waits: `grpc-current`, `ccore-1.51` or `grpc-before-2024`.")
            .optional("slack", &Backoff::slack,
                      "How much longer a wait may take: timers and schedulers of a busy machine.")
            .optional("late", &Backoff::late, "The share of waits that may take longer still.")
            .optional("method", &Backoff::method, "Only calls of this method; `*` matches any characters.")
            .rule([](const Backoff& check, const json::Value& object, ErrorList& errors) {
              const auto wrong = [&](const char* what) {
                errors.push_back(json::error_at(object.span, what));
              };
              if (check.initial <= Duration::zero()) wrong("`initial` must be more than nothing");
              if (!(check.multiplier > 0)) wrong("`multiplier` must be more than 0");
              if (check.max && *check.max <= Duration::zero()) wrong("`max` must be more than nothing");
            });
    return all;
  }
  std::vector<Reference> references() const override { return {{Reference::To::edge, on.text, "on"}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = expectation();
    const history::Joined joined = question.calls.join(on);
    const auto concerns = [&](const Attempt& attempt) {
      return question.window.contains(attempt.received) &&
             (!method || faults::matches_pattern(*method, attempt.method));
    };
    Finding finding;
    const auto lines = connections(question.history);
    for (const auto& call : joined.calls) {
      if (concerns(call.first())) judge_call(call, lines, finding, result);
    }
    result.samples = finding.gaps.size() + finding.overlapping + finding.forbidden;
    judge_late(finding, result);
    judge_means(finding, result);
    judge_spread(finding, result);
    result.actual = sentence(finding.parts(summary(finding)));
    if (const auto why = unclear_join(joined, concerns)) return inconclusive(result, *why);
    if (finding.wrong()) {
      result.verdict = Verdict::failed;
      return result;
    }
    if (finding.gaps.empty()) return inconclusive(result, "no call was retried on " + on.text);
    if (jitter.value > 0 && finding.random < enough) {
      return inconclusive(result, "only " + counted(finding.random, "wait") + " with jitter in it, " +
                                      std::to_string(enough) + " needed to tell whether it is there");
    }
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  struct Finding {
    std::vector<Gap> gaps;
    uint64_t too_early = 0, too_late = 0, overlapping = 0, forbidden = 0;
    size_t random = 0;  // gaps that show whether there is jitter
    std::string first_early, worst_late, first_overlapping, first_forbidden;
    std::vector<std::string> wrong_distribution;
    bool too_many_late = false;

    bool wrong() const {
      return too_early + overlapping + forbidden > 0 || too_many_late || !wrong_distribution.empty();
    }
    std::vector<std::string> parts(std::vector<std::string> all) const {
      if (too_early > 0) all.push_back(std::to_string(too_early) + " too early, first " + first_early);
      if (overlapping > 0) {
        all.push_back(counted(overlapping, "attempt") +
                      " began while the one before was still running, first " + first_overlapping);
      }
      if (forbidden > 0) {
        all.push_back(counted(forbidden, "attempt") + " followed a pushback that forbade it, first " +
                      first_forbidden);
      }
      if (too_late > 0)
        all.push_back(std::to_string(too_late) + (too_many_late ? " too late" : " late") + ", worst " +
                      worst_late);
      all.insert(all.end(), wrong_distribution.begin(), wrong_distribution.end());
      return all;
    }
  };
  using Lines = std::map<ConnectionId, Instant>;  // when each connection was accepted

  static Lines connections(const history::History& history) {
    Lines lines;
    history::each<faults::ConnectionAccepted>(
        history, [&](const auto&, const auto& seen) { lines.emplace(seen.connection, seen.at); });
    return lines;
  }

  WaitRange range_of(unsigned retry) const {
    return BackoffSchedule{initial, multiplier, max, jitter.value / 100, profile}.before_retry(retry);
  }

  void judge_call(const history::Call& call, const Lines& lines, Finding& finding,
                  CheckResult& result) const {
    unsigned done = 0;   // retries so far, those that never reached the wire included
    unsigned since = 0;  // of these, how many before the last pushback: the backoff begins anew after it
    for (size_t i = 1; i < call.attempts.size(); ++i) {
      const Attempt& before = *call.attempts[i - 1];
      const Attempt& after = *call.attempts[i];
      const auto ended = before.ended_at();
      if (!before.end || !ended || *ended > after.received) {
        if (before.end && before.end->received <= after.received && !ended)
          continue;  // its end was never seen
        if (++finding.overlapping == 1) finding.first_overlapping = name_of(after);
        show(result, before.event);
        show(result, after.event);
        continue;
      }
      if (was_refused(before) && after.previous_attempts == before.previous_attempts) continue;
      const unsigned first = done + 1;
      done = std::max(done + 1, after.previous_attempts);
      Gap gap{.before = &before, .after = &after, .took = after.received - *ended};
      const auto line = lines.find(after.connection);
      gap.waited_for_line = line != lines.end() && line->second > *ended;
      if (const auto pushback = before.end->pushback_ms) {
        if (*pushback < 0) {
          if (++finding.forbidden == 1) finding.first_forbidden = name_of(after);
          show(result, before.end->event);
          show(result, after.event);
          continue;
        }
        const Duration told = std::chrono::milliseconds(*pushback);
        gap.range = {told, told};
        since = done;
      } else {
        gap.retry = done - since;
        // Attempts in between that found no connection had their own backoff each.
        for (unsigned retry = first - since; retry <= gap.retry; ++retry) {
          const WaitRange one = range_of(retry);
          gap.range.low += one.low;
          gap.range.high += one.high;
          gap.range.random = one.random;
        }
        gap.waited_for_line = gap.waited_for_line || done > first;
      }
      // Near the deadline only the short waits become retries, and what is seen of them is no fair sample.
      const bool cut_short =
          before.timeout && *ended + gap.range.high + slack > before.received + *before.timeout;
      gap.distributed = gap.retry > 0 && !gap.waited_for_line && !cut_short;
      judge_gap(gap, finding, result);
    }
  }

  void judge_gap(const Gap& gap, Finding& finding, CheckResult& result) const {
    const auto words = [&] {
      return name_of(*gap.after) + " after " + brief(gap.took) + " where " +
             (gap.range.low == gap.range.high ? brief(gap.range.low)
                                              : brief(gap.range.low) + " to " + brief(gap.range.high)) +
             (gap.retry == 0 ? " was told" : " was due");
    };
    finding.gaps.push_back(gap);
    if (gap.took < gap.range.low - early) {
      if (++finding.too_early == 1) finding.first_early = words();
      show(result, gap.before->end->event);
      show(result, gap.after->event);
      finding.gaps.back().distributed = false;
    } else if (!gap.waited_for_line && gap.took > gap.range.high + slack) {
      const bool worst = std::all_of(finding.gaps.begin(), finding.gaps.end() - 1, [&](const Gap& other) {
        return other.waited_for_line || other.took - other.range.high < gap.took - gap.range.high;
      });
      ++finding.too_late;
      if (worst) finding.worst_late = words();
      finding.gaps.back().distributed = false;
    }
  }

  void judge_late(Finding& finding, CheckResult& result) const {
    if (static_cast<double>(finding.too_late) * 100 <= late.value * static_cast<double>(finding.gaps.size()))
      return;
    finding.too_many_late = true;
    for (const Gap& gap : finding.gaps) {
      if (gap.waited_for_line || gap.took <= gap.range.high + slack) continue;
      show(result, gap.before->end->event);
      show(result, gap.after->event);
    }
  }

  /// By retry. What is left out of a mean: waits judged too early or too late already.
  static std::map<unsigned, std::vector<Duration>> by_retry(const Finding& finding) {
    std::map<unsigned, std::vector<Duration>> all;
    for (const Gap& gap : finding.gaps) {
      if (gap.distributed) all[gap.retry].push_back(gap.took);
    }
    return all;
  }
  static Duration mean(const std::vector<Duration>& gaps) {
    Duration sum{};
    for (const Duration gap : gaps) sum += gap;
    return sum / static_cast<int64_t>(gaps.size());
  }

  void judge_means(Finding& finding, CheckResult& result) const {
    for (const auto& [retry, gaps] : by_retry(finding)) {
      if (gaps.size() < enough) continue;
      const WaitRange range = range_of(retry);
      const Duration quarter = (range.high - range.low) / 4;
      if (mean(gaps) >= range.low + quarter - early && mean(gaps) <= range.high - quarter + slack / 4)
        continue;
      finding.wrong_distribution.push_back("the mean before retry " + std::to_string(retry) + " should be " +
                                           brief((range.low + range.high) / 2));
      show_some(finding, retry, result);
    }
  }

  void judge_spread(Finding& finding, CheckResult& result) const {
    std::vector<double> places;  // each wait in units of its range's width
    unsigned last = 0;
    for (const Gap& gap : finding.gaps) {
      if (!gap.distributed || !gap.range.random) continue;
      places.push_back(static_cast<double>((gap.took - gap.range.low).count()) /
                       static_cast<double>((gap.range.high - gap.range.low).count()));
      last = gap.retry;
    }
    finding.random = places.size();
    if (places.size() < enough) return;
    std::sort(places.begin(), places.end());
    const double middle = places[nearest_rank(places.size(), 0.9)] - places[nearest_rank(places.size(), 0.1)];
    if (middle >= 0.2) return;
    finding.wrong_distribution.push_back("no jitter: eight in ten of " + std::to_string(places.size()) +
                                         " waits lie within " + std::to_string(std::lround(middle * 100)) +
                                         "% of the range they should be spread over");
    show_some(finding, last, result);
  }

  static void show_some(const Finding& finding, unsigned retry, CheckResult& result) {
    for (const Gap& gap : finding.gaps) {
      if (!gap.distributed || gap.retry != retry) continue;
      show(result, gap.before->end->event);
      show(result, gap.after->event);
    }
  }

  static std::vector<std::string> summary(const Finding& finding) {
    std::map<unsigned, std::vector<Duration>> all;
    for (const Gap& gap : finding.gaps) all[gap.retry].push_back(gap.took);
    std::vector<std::string> parts;
    for (const auto& [retry, gaps] : all) {
      const auto [shortest, longest] = std::minmax_element(gaps.begin(), gaps.end());
      parts.push_back(counted(gaps.size(), "wait") +
                      (retry == 0 ? " after a pushback" : " before retry " + std::to_string(retry)) + ", " +
                      (gaps.size() == 1
                           ? brief(*shortest)
                           : brief(*shortest) + " to " + brief(*longest) + ", mean " + brief(mean(gaps))));
    }
    if (parts.empty()) parts.push_back("no retry");
    return parts;
  }

  std::string expectation() const {
    std::string text = "before a retry on " + on.text + " its caller waits " + to_text(initial);
    if (multiplier != 1) text += ", each time " + Codec<double>::show(multiplier) + " times as long";
    if (max) text += ", at most " + to_text(*max);
    if (profile == BackoffProfile::grpc_before_2024) {
      text += ", or less, at random";
    } else if (jitter.value > 0) {
      text += ", ±" + Codec<Percent>::show(jitter) + " at random";
      if (profile == BackoffProfile::ccore_1_51) text += " from the second retry on";
    }
    return text;
  }
};

}  // namespace

CheckKind backoff_kind() {
  return make_kind<Backoff>({
      .name = "backoff",
      .summary = "Before each retry a client waits, longer every time, and not in step with the others.",
      .details =
          "Judges the calls on `on` whose first attempt began in the window, joined as the edge's "
          "`correlate` says. A wait runs from the moment the end of an attempt was written to its caller to "
          "the moment the HEADERS of the next were read. The nominal wait before retry n is min(`initial` × "
          "`multiplier`^(n-1), `max`). `profile` says what a client's library makes of it: `grpc-current` "
          "(gRFC A6 since August 2024): nominal ± `jitter`; `ccore-1.51` (C++, Python and others on gRPC "
          "1.51): the first retry exactly nominal, further ones ± `jitter`; `grpc-before-2024` (Go and Java "
          "of "
          "that time): anything from 0 to nominal. A client of another make is one of these with its own "
          "numbers, or with `\"jitter\": \"0%\"`.\n\n"
          "Red: a wait shorter than its range by more than 5 ms (clocks of whole milliseconds that start "
          "when the client begins to read); more than a share `late` of the waits longer than their range "
          "by more than `slack`, because a busy machine runs a timer late and never early; a retry that "
          "began while the attempt before was running; a mean before one retry that is not in the middle "
          "half "
          "of its range (− 5 ms, + `slack`/4); and waits that lie too close together: eight in ten of them, "
          "measured by their ranges, within a fifth of the range. The last two take 20 waits. Fewer than "
          "that where jitter is expected cannot show it, and the check is inconclusive unless it is red "
          "already.\n\n"
          "Where the next attempt came over a connection made meanwhile there is no upper bound: it waited "
          "for that. Attempts that never reached the wire (grpc-previous-rpc-attempts skips them) add their "
          "own backoff each. After a grpc-retry-pushback-ms in the trailers the wait is what it says and the "
          "backoff begins anew; after a negative or unreadable one any retry is red. Transparent retries of "
          "refused streams are the library's own and left out. Waits that the deadline could have cut short "
          "count in no mean and no spread.\n\n"
          "Sources: gRFC A6 (backoff: grpc/proposal#452); grpc/grpc src/core/lib/backoff; measured with C++ "
          "gRPC 1.51.1.",
      .example =
          R"({ "check": "backoff", "on": "orders->inventory", "initial": "100ms", "multiplier": 2, "max": "1s", "min_samples": 50 })",
  });
}

}  // namespace breakwire::checks
