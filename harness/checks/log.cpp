// log: a service logs every call it was given, once, and truthfully.
#include <algorithm>
#include <set>

#include "harness/checks/make_kind.h"
#include "harness/checks/served.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using history::LogSeen;

/// A record, and where it is in the history.
struct Record {
  const LogSeen* seen = nullptr;
  EventNumber event;
  Instant at;
};

bool is_early_end(std::optional<StatusCode> code) {
  return code == StatusCode::cancelled || code == StatusCode::deadline_exceeded;
}

/// Answered when its deadline had come, or about then: C-core rounds grpc-timeout up by as much as 1 %, and
/// the clocks along a chain of calls began at different times.
bool at_deadline(const ServedCall& call) {
  const auto timeout = call.attempt->timeout;
  if (!timeout) return false;
  return call.over >= call.given + *timeout - *timeout / 50 - std::min<Duration>(20ms, *timeout / 4);
}

/// Whether CANCELLED and DEADLINE_EXCEEDED are equally right: whose clock was first does not show.
bool takes_either(const ServedCall& call) {
  if (call.ending == ServedCall::Ending::given_up) return true;
  return is_early_end(call.attempt->outcome()) && at_deadline(call);
}

/// It was given up, and a fault had got hold of it: the service may have answered long before, unheard.
bool withheld(const ServedCall& call) {
  return call.ending == ServedCall::Ending::given_up && !call.attempt->hit_by.empty();
}

/// Whether the wire says which code the service gave the call.
bool code_is_known(const ServedCall& call) {
  return call.ending == ServedCall::Ending::answered ||
         (call.ending == ServedCall::Ending::given_up && !withheld(call));
}

class Log : public Check {
 public:
  ServiceId service;
  Duration tolerance = 100ms;
  Percent late{5};

  static const Fields<Log>& fields() {
    static const auto all =
        Fields<Log>()
            .required("service", &Log::service, "The service whose log is read, by its `log` mapping.")
            .optional("tolerance", &Log::tolerance,
                      "How far a record's duration may be from what the wire took.")
            .optional("late", &Log::late,
                      "The share of calls whose duration may be off by more, and of the calls given up whose "
                      "record "
                      "may have the code of an answer: a busy machine makes a service late, unseen.");
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::service, service.text, "service"}};
  }
  std::vector<Wish> wishes() const override { return {LogWish{service}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected =
        "one log record of " + service.text +
        " for each call it was given, with the call's method, code and trace id, and its duration ± " +
        to_text(tolerance);
    const std::vector<ServedCall> calls = calls_served(service, question);
    Matching matching = match(calls, records_in(question));
    Finding finding;
    for (const auto& [call, record] : matching.pairs) {
      if (!question.window.contains(call->attempt->received)) continue;
      if (call->certain) ++result.samples;
      judge_pair(*call, *record, finding, question, result);
    }
    judge_left_over(matching, finding, question, result);
    const auto tolerated = [&](uint64_t count, uint64_t of) {
      return static_cast<double>(count) * 100 <= late.value * static_cast<double>(std::max<uint64_t>(of, 1));
    };
    if (!tolerated(finding.durations_off, result.samples)) finding.red = true;
    if (!tolerated(finding.crossed, finding.given_up)) finding.red = true;
    if (finding.red) {
      for (const EventNumber event : finding.tolerable) show(result, event);
    }

    std::vector<std::string> parts{counted(result.samples, "call") + " to be logged"};
    const auto add = [&](uint64_t count, const std::string& what, const std::string& first) {
      if (count > 0) parts.push_back(std::to_string(count) + " " + what + ", first " + first);
    };
    add(finding.missing, "without a record", finding.first_missing);
    add(finding.surplus, finding.surplus == 1 ? "record of no call" : "records of no call",
        finding.first_surplus);
    add(finding.wrong_method, "under another method", finding.first_wrong_method);
    add(finding.wrong_code, "with another code", finding.first_wrong_code);
    add(finding.crossed, "of " + std::to_string(finding.given_up) + " given up with the code of an answer",
        finding.first_crossed);
    add(finding.without_trace, "without a trace id", finding.first_without_trace);
    add(finding.without_duration, "without a duration", finding.first_without_duration);
    add(finding.durations_off, "with a duration that is off", finding.first_duration_off);
    if (finding.not_judged > 0) parts.push_back(counted(finding.not_judged, "call") + " not asked for");
    result.actual = sentence(parts);
    if (calls.empty()) return inconclusive(result, "no call reached " + service.text);
    if (finding.red) return failed(std::move(result));
    if (result.samples == 0)
      return inconclusive(result, "no call that " + service.text + " had to log began in the window");
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  using Pair = std::pair<const ServedCall*, const Record*>;
  struct Matching {
    std::vector<Record> records;
    std::vector<Pair> pairs;
    std::vector<const ServedCall*> calls_left;
    std::vector<const Record*> records_left;
  };
  struct Finding {
    bool red = false;
    uint64_t missing = 0, surplus = 0, wrong_method = 0, wrong_code = 0, crossed = 0, without_trace = 0,
             without_duration = 0, durations_off = 0, given_up = 0, not_judged = 0;
    std::string first_missing, first_surplus, first_wrong_method, first_wrong_code, first_crossed,
        first_without_trace, first_without_duration, first_duration_off;
    std::vector<EventNumber> tolerable;  // shown only if they were too many, or something else is wrong
  };

  std::vector<Record> records_in(const Question& question) const {
    std::vector<Record> records;
    history::each<LogSeen>(question.history, [&](const history::Event& event, const LogSeen& seen) {
      if (seen.service != service || history::is_infrastructure(seen.method)) return;
      records.push_back({&seen, event.number, event.at});
    });
    return records;
  }

  bool code_fits(const ServedCall& call, const LogSeen& seen) const {
    if (!code_is_known(call)) return true;
    if (takes_either(call)) return is_early_end(seen.status);
    return seen.status.has_value() && seen.status == call.attempt->outcome();
  }

  /// Its answer may have been sent at the very moment its caller gave it up. Of one that the service may have
  /// begun when it was given up, the record's duration says nothing about that moment.
  bool may_have_crossed(const ServedCall& call, const LogSeen& seen) const {
    if (call.ending != ServedCall::Ending::given_up || !seen.status) return false;
    if (!call.certain) return true;
    return seen.duration && std::chrono::abs(call.given + *seen.duration - call.over) <= tolerance;
  }

  /// The part of the duration that the wire cannot explain.
  Duration duration_off(const ServedCall& call, Duration logged) const {
    const Duration wire = call.over - call.given;
    // A stopped process' clock begins late, and a fault may have held back what would have ended the call.
    const bool lower = !call.stopped && !withheld(call) && call.ending != ServedCall::Ending::cut;
    // What was ended from outside may go on inside for a while.
    const bool upper = call.ending == ServedCall::Ending::answered;
    if (lower && logged < wire) return wire - logged;
    if (upper && logged > wire) return logged - wire;
    return logged < Duration::zero() ? -logged : Duration::zero();
  }

  /// Attempts of one call share trace id and method, so each of these is matched as a multiset: every record
  /// with the call that it fits best.
  Matching match(const std::vector<ServedCall>& calls, std::vector<Record> records) const {
    Matching matching{.records = std::move(records), .pairs = {}, .calls_left = {}, .records_left = {}};
    std::map<std::pair<std::string, std::string>, std::vector<const ServedCall*>> open;
    std::set<std::string> traces;
    for (const auto& call : calls) {
      open[{call.attempt->trace_id, call.attempt->method}].push_back(&call);
      traces.insert(call.attempt->trace_id);
    }
    for (const Record& record : matching.records) {
      // A call without a trace gets one from the service itself: any that the wire does not know.
      const bool foreign = !traces.contains(record.seen->trace_id);
      const auto group = open.find({foreign ? "" : record.seen->trace_id, record.seen->method});
      if ((foreign && record.seen->trace_id.empty()) || group == open.end() || group->second.empty()) {
        matching.records_left.push_back(&record);
        continue;
      }
      auto& candidates = group->second;
      const auto best = std::max_element(
          candidates.begin(), candidates.end(),
          [&](const auto* a, const auto* b) { return fitness(*a, record) < fitness(*b, record); });
      matching.pairs.emplace_back(*best, &record);
      candidates.erase(best);
    }
    for (const auto& [key, group] : open)
      matching.calls_left.insert(matching.calls_left.end(), group.begin(), group.end());
    std::stable_sort(matching.calls_left.begin(), matching.calls_left.end(),
                     [](const auto* a, const auto* b) { return a->given < b->given; });
    return matching;
  }

  int fitness(const ServedCall& call, const Record& record) const {
    const bool in_time = record.seen->duration && duration_off(call, *record.seen->duration) <= tolerance &&
                         record.at >= call.given;
    return 8 * code_fits(call, *record.seen) + 4 * in_time + 2 * call.certain + code_is_known(call);
  }

  static std::string first(const ServedCall& call, const Question& question, const std::string& what) {
    return name_of(*call.attempt) + " at " + moment(call.given, question) + " (" + what + ")";
  }

  void judge_pair(const ServedCall& call, const Record& record, Finding& finding, const Question& question,
                  CheckResult& result) const {
    const auto wrong = [&](uint64_t& count, std::string& text, const std::string& what) {
      if (++count == 1) text = first(call, question, what);
      finding.red = true;
      show(result, call.attempt->event);
      show(result, record.event);
    };
    const auto doubtful = [&](uint64_t& count, std::string& text, const std::string& what) {
      if (++count == 1) text = first(call, question, what);
      finding.tolerable.push_back(call.attempt->event);
      finding.tolerable.push_back(record.event);
    };
    const LogSeen& seen = *record.seen;
    if (call.ending == ServedCall::Ending::open) {
      ++finding.not_judged;
      return;
    }
    if (call.ending == ServedCall::Ending::given_up && code_is_known(call)) ++finding.given_up;
    if (!code_fits(call, seen)) {
      const auto outcome = call.attempt->outcome();
      const std::string what = "logged " + (seen.code.empty() ? "no code" : "`" + seen.code + "`") +
                               (outcome ? ", the wire saw " + std::string(to_text(*outcome)) : "");
      if (may_have_crossed(call, seen)) {
        doubtful(finding.crossed, finding.first_crossed, what);
      } else {
        wrong(finding.wrong_code, finding.first_wrong_code, what);
      }
    } else if (!seen.status) {
      wrong(finding.wrong_code, finding.first_wrong_code,
            seen.code.empty() ? "logged no code" : "logged `" + seen.code + "`, which is no gRPC status");
    }
    if (seen.trace_id.empty())
      wrong(finding.without_trace, finding.first_without_trace, "its record has none");
    if (!seen.duration) {
      wrong(finding.without_duration, finding.first_without_duration, "its record has none");
    } else if (duration_off(call, *seen.duration) > tolerance) {
      doubtful(finding.durations_off, finding.first_duration_off,
               "logged " + brief(*seen.duration) + ", the wire took " + brief(call.over - call.given));
    }
  }

  /// What did not find each other by trace id and method: said once, as what it most likely is.
  void judge_left_over(Matching& matching, Finding& finding, const Question& question,
                       CheckResult& result) const {
    const auto in_window = [&](const ServedCall& call) {
      return question.window.contains(call.attempt->received);
    };
    for (const ServedCall* call : matching.calls_left) {
      const bool must = call->certain && in_window(*call);
      if (must) ++result.samples;
      const auto like = [&](const Record* record) {
        return record->at >= call->given &&
               (record->seen->trace_id.empty() ? record->seen->method == call->attempt->method
                                               : record->seen->trace_id == call->attempt->trace_id);
      };
      auto& left = matching.records_left;
      const auto record = std::find_if(left.begin(), left.end(), like);
      if (record == left.end()) {
        if (!must) {
          if (in_window(*call)) ++finding.not_judged;
          continue;
        }
        const auto outcome = call->attempt->outcome();
        if (++finding.missing == 1) {
          finding.first_missing = first(
              *call, question, call->attempt->method + (outcome ? " " + std::string(to_text(*outcome)) : ""));
        }
        finding.red = true;
        show(result, call->attempt->event);
        if (call->attempt->end) show(result, call->attempt->end->event);
        continue;
      }
      if (in_window(*call)) {
        if ((*record)->seen->trace_id.empty()) {
          if (++finding.without_trace == 1)
            finding.first_without_trace = first(*call, question, "its record has none");
        } else if (++finding.wrong_method == 1) {
          finding.first_wrong_method =
              first(*call, question, call->attempt->method + ", logged as " + (*record)->seen->method);
        }
        finding.red = true;
        show(result, call->attempt->event);
        show(result, (*record)->event);
      }
      left.erase(record);
    }
    for (const Record* record : matching.records_left) {
      if (!question.window.contains(record->at)) continue;
      if (++finding.surplus == 1)
        finding.first_surplus =
            record->seen->method + " " + record->seen->code + " at " + moment(record->at, question);
      finding.red = true;
      show(result, record->event);
    }
  }
};

}  // namespace

CheckKind log_kind() {
  return make_kind<Log>({
      .name = "log",
      .summary = "A service logs every call it was given, once and truthfully.",
      .details =
          "The service needs a `log` mapping, which says which of its JSON lines tell of the calls it served "
          "(`only`) and which fields hold what. Lines are read until they stop coming after the load is "
          "over; a "
          "service that keeps them in a buffer for longer (Python's print does, into a file) seems not to "
          "have "
          "logged.\n\n"
          "Each call whose HEADERS reached the service on any of its edges must have one record. They are "
          "joined by trace id and method; attempts of one call share both and are matched as a set. The code "
          "must be the one that the service's trailers carried; at the call's deadline CANCELLED will do for "
          "DEADLINE_EXCEEDED and the other way round, for whose clock was first does not show. A call that "
          "its "
          "caller gave up is logged as one of these two; a share `late` of the calls given up may carry the "
          "code of an answer that crossed the cancel on its way, if the record's duration ends within "
          "`tolerance` of the cancel. Of calls that a fault or a lost connection cut, and of those given up "
          "while a fault had got hold of them, any code is right. The duration must be "
          "within `tolerance` of the time from the HEADERS written to the service to its trailers read (or "
          "to "
          "the reset written to it: then it may be longer, for a handler may go on), for all but a share "
          "`late` "
          "of the calls.\n\n"
          "No record is asked of calls that a fault answered before the service saw them, that were given up "
          "or "
          "cut within 50 ms or while the process was stopped (a server need not begin a call that it reads "
          "together with its end), that it refused unprocessed, that were in a process shortly before it was "
          "killed, and that were open when the run ended; if there is one, it is judged. Records of no call "
          "on "
          "the wire are wrong: narrow `only` when they are of something else, such as calls the service "
          "made.\n\n"
          "The window chooses calls by their begin, and records of no call by when they were read.",
      .example = R"({ "check": "log", "service": "orders", "min_samples": 50 })",
  });
}

}  // namespace breakwire::checks
