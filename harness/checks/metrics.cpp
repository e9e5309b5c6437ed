// metrics: a Prometheus counter of a service moved by as much as it should.
#include <algorithm>
#include <cmath>

#include "faults/match.h"
#include "harness/checks/connections.h"
#include "harness/checks/make_kind.h"
#include "harness/checks/scrapes.h"
#include "harness/checks/served.h"
#include "harness/checks/wording.h"
#include "harness/history/series.h"

namespace breakwire::checks {

struct IncreaseRange {
  std::optional<double> min, max, exactly;
  static const Fields<IncreaseRange>& fields() {
    static const auto all =
        Fields<IncreaseRange>()
            .optional("min", &IncreaseRange::min, "By no less.")
            .optional("max", &IncreaseRange::max, "By no more.")
            .optional("exactly", &IncreaseRange::exactly, "By this much.")
            .rule([](const IncreaseRange& range, const json::Value& object, ErrorList& errors) {
              if (range.exactly ? range.min || range.max : !range.min && !range.max) {
                errors.push_back(
                    json::error_at(object.span, "`increases_by` takes `min` and `max`, or `exactly`"));
              }
            });
    return all;
  }
};

namespace {

using history::Series;

constexpr Duration lag = count_lag;

std::string number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15)
    return std::to_string(static_cast<int64_t>(value));
  std::string text = std::to_string(value);
  while (text.ends_with('0')) text.pop_back();
  return text;
}

class Metrics : public Check {
 public:
  ServiceId service;
  std::string series;
  std::map<std::string, std::string> labels;
  std::optional<IncreaseRange> increases_by;
  std::optional<EdgeId> equals_calls_on;
  std::optional<StatusCode> status;
  std::optional<std::string> method;
  CountOrPercent tolerance{.count = std::nullopt, .percent = 5};

  static const Fields<Metrics>& fields() {
    static const auto all =
        Fields<Metrics>()
            .required("service", &Metrics::service,
                      "The service whose metrics are scraped, at its `metrics` URL.")
            .required("series", &Metrics::series,
                      "The counter's name; all its series that `labels` select are added up.")
            .optional("labels", &Metrics::labels,
                      "Labels a series must have, with these values; `*` matches any characters.")
            .optional("increases_by", &Metrics::increases_by, "How much it moves in the window.")
            .optional(
                "equals_calls_on", &Metrics::equals_calls_on,
                "It moves by as many calls as the wire saw end on this edge, to the service or from it.")
            .optional("status", &Metrics::status, "Of these calls, only those that ended with this code.")
            .optional("method", &Metrics::method,
                      "Of these calls, only those of this method; `*` matches any characters.")
            .optional("tolerance", &Metrics::tolerance,
                      "By how many calls (3) or which share of them (\"5%\") it may differ from the wire.")
            .rule([](const Metrics& check, const json::Value& object, ErrorList& errors) {
              std::string_view rest = check.series;
              const auto read = history::read_series(rest);
              if (!read || !rest.empty() || !read->labels.empty()) {
                const json::Value* written = object.find("series");
                errors.push_back(json::error_at(written ? written->span : object.span,
                                                "`series` is a metric's name", "labels go into `labels`"));
              }
              if (check.increases_by.has_value() == check.equals_calls_on.has_value())
                errors.push_back(
                    json::error_at(object.span, "give either `increases_by` or `equals_calls_on`"));
              for (const char* key : {"status", "method", "tolerance"}) {
                if (const json::Value* written = object.find(key); written && !check.equals_calls_on)
                  errors.push_back(json::error_at(written->span,
                                                  std::string("`") + key + "` belongs to `equals_calls_on`"));
              }
            });
    return all;
  }
  std::vector<Reference> references() const override {
    std::vector<Reference> all{{Reference::To::service, service.text, "service"}};
    if (equals_calls_on) all.push_back({Reference::To::edge, equals_calls_on->text, "equals_calls_on"});
    return all;
  }
  std::vector<Wish> wishes() const override { return {MetricWish{service, to_text(wished())}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    const std::string name = to_text(wished()) + " of " + service.text;
    result.expected = name + " increases by " + expectation();
    const Scrapes scrapes = scrapes_of(service, wished(), question.history);
    const auto change = change_in(scrapes, question.window);
    if (const auto* why = std::get_if<std::string>(&change)) return inconclusive(result, *why);
    const Change& moved = std::get<Change>(change);
    return increases_by ? judge_range(scrapes, moved, std::move(result))
                        : judge_calls(scrapes, moved, question, std::move(result));
  }

 private:
  Series wished() const { return {series, labels}; }

  std::string expectation() const {
    if (equals_calls_on) {
      return "as many calls as ended" + (status ? " with " + std::string(to_text(*status)) : std::string()) +
             " on " + equals_calls_on->text + " (± " + to_text(tolerance) + ")";
    }
    if (increases_by->exactly) return number(*increases_by->exactly);
    std::vector<std::string> parts;
    if (increases_by->min) parts.push_back("at least " + number(*increases_by->min));
    if (increases_by->max) parts.push_back("at most " + number(*increases_by->max));
    return sentence(parts);
  }

  std::string told(const Scrapes& scrapes, const Change& change) const {
    const auto sum = [](const Scrape& scrape) {
      double all = 0;
      for (const auto& [key, value] : scrape.values) all += value;
      return all;
    };
    if (!scrapes.appeared) return "no such series ever appeared in " + counted(scrapes.all.size(), "scrape");
    std::string text = "by " + number(change.by) + ", from " + number(sum(scrapes.all[change.from])) +
                       " to " + number(sum(scrapes.all[change.to]));
    if (!change.resets.empty()) text += "; began again from 0 " + counted(change.resets.size(), "time");
    return text;
  }

  void show_scrapes(const Scrapes& scrapes, const Change& change, CheckResult& result) const {
    show(result, scrapes.all[change.from].event);
    show(result, scrapes.all[change.to].event);
    for (const size_t reset : change.resets) show(result, scrapes.all[reset].event);
  }

  CheckResult judge_range(const Scrapes& scrapes, const Change& change, CheckResult result) const {
    result.actual = told(scrapes, change);
    result.samples = change.to - change.from + 1;
    const double least = increases_by->exactly.value_or(increases_by->min.value_or(0));
    // What is never there never moves; but it may be a name that is spelt wrong.
    if (!scrapes.appeared && least <= 0) return inconclusive(result, "no such series ever appeared");
    const double most = increases_by->exactly.value_or(increases_by->max.value_or(HUGE_VAL));
    result.verdict = change.by >= least && change.by <= most ? Verdict::passed : Verdict::failed;
    if (result.verdict == Verdict::failed) show_scrapes(scrapes, change, result);
    return result;
  }

  /// A call that ended, as the service must have counted it.
  struct Ended {
    const history::Attempt* attempt = nullptr;
    Instant at;
    bool certain = true;  // else the service may have noticed it or not
  };

  CheckResult judge_calls(const Scrapes& scrapes, const Change& change, const Question& question,
                          CheckResult result) const {
    std::string unclear;
    const auto calls = calls_on_edge(question, unclear);
    if (!unclear.empty()) return inconclusive(result, unclear);
    // Calls that ended while a scrape was under way, or about then, may be in it or not; so may those that a
    // process counted between its last scrape and its end.
    const Scrape& first = scrapes.all[change.from];
    const Scrape& last = scrapes.all[change.to];
    std::vector<const Ended*> possible;
    uint64_t sure = 0;
    for (const auto& call : calls) {
      if (call.at < first.asked - lag || call.at > last.at + lag) continue;
      possible.push_back(&call);
      bool in = call.certain && call.at > first.at + lag && call.at < last.asked - lag;
      for (const size_t reset : change.resets)
        in = in && (call.at < scrapes.all[reset - 1].asked - lag || call.at > scrapes.all[reset].at + lag);
      if (in) ++sure;
    }
    result.samples = sure;
    const double slack = tolerance.percent
                             ? std::ceil(*tolerance.percent * static_cast<double>(possible.size()) / 100)
                             : static_cast<double>(tolerance.count.value_or(0));
    result.actual =
        told(scrapes, change) + "; the wire saw " +
        (sure == possible.size() ? counted(sure, "such call")
                                 : std::to_string(sure) + " to " + counted(possible.size(), "such call"));
    const bool kept = change.by >= static_cast<double>(sure) - slack &&
                      change.by <= static_cast<double>(possible.size()) + slack;
    const bool unmoved = change.by <= 0;
    if (kept && sure == 0) {
      return inconclusive(result,
                          "no such call ended on " + equals_calls_on->text +
                              (possible.empty() ? "" : " that " + service.text + " must have counted"));
    }
    if (change.by > static_cast<double>(possible.size()) + slack &&
        may_count_unseen(first.asked - lag, last.at + lag, question)) {
      return inconclusive(result, equals_calls_on->text +
                                      " was without a connection for a time: calls that "
                                      "fail for want of one are counted, and the wire does not show them");
    }
    // What is never there counted none of them; the tolerance is for some.
    const bool absent = !scrapes.appeared && sure > 0;
    if (kept && unmoved && !absent)
      return inconclusive(result, "it did not move, and so few calls are within the tolerance");
    if (kept && !absent) {
      result.verdict = Verdict::passed;
      return result;
    }
    show_scrapes(scrapes, change, result);
    for (const Ended* call : possible) show(result, call->attempt->end->event);
    return failed(std::move(result));
  }

  bool concerns(const history::Attempt& attempt, std::optional<StatusCode> outcome) const {
    return outcome && (!status || outcome == *status) &&
           (!method || faults::matches_pattern(*method, attempt.method));
  }

  /// A client also counts calls that never get on the wire, as they fail for want of a connection.
  bool may_count_unseen(Instant from, Instant to, const Question& question) const {
    const auto* edge = question.history.setup().edge(*equals_calls_on);
    const bool fails_so = !status || *status == StatusCode::unavailable ||
                          *status == StatusCode::deadline_exceeded || *status == StatusCode::cancelled;
    return fails_so && edge && edge->from == service &&
           Connections(edge->id, question.history).lacked_in(from, to);
  }

  /// A server counts each attempt it was given, as it ended it; a client each call by what it saw of its last
  /// attempt.
  std::vector<Ended> calls_on_edge(const Question& question, std::string& unclear) const {
    std::vector<Ended> all;
    const auto* edge = question.history.setup().edge(*equals_calls_on);
    if (edge && edge->to == service) {
      for (const ServedCall& call : calls_served(service, question)) {
        if (call.attempt->edge == edge->id && call.ending != ServedCall::Ending::open &&
            concerns(*call.attempt, call.attempt->outcome()))
          all.push_back({call.attempt, call.over, call.certain});
      }
    } else if (edge && edge->from == service) {
      const history::Joined joined = question.calls.join(edge->id);
      if (joined.ambiguous > 0) {
        unclear = counted(joined.ambiguous, "attempt") +
                  " could belong to more than one call: " + joined.why_ambiguous;
        return all;
      }
      for (const auto& call : joined.calls) {
        const history::Attempt& attempt = call.last();
        if (const auto ended = attempt.ended_at(); ended && concerns(attempt, attempt.seen_by_caller()))
          all.push_back({&attempt, *ended});
      }
    } else {
      unclear = "edge " + equals_calls_on->text + " leads neither to " + service.text + " nor from it";
    }
    return all;
  }
};

}  // namespace

CheckKind metrics_kind() {
  return make_kind<Metrics>({
      .name = "metrics",
      .summary = "A Prometheus counter of a service moves by as much as it should.",
      .details =
          "The service needs a `metrics` URL; it is scraped every 100 ms from before the load to after its "
          "end. "
          "The increase is the one between the last scrape that was answered before the window began and the "
          "first that was asked when it was over, added up over all series of the name that `labels` select. "
          "A "
          "series that is not there stands at 0. Where a process of the service began between two scrapes, "
          "or "
          "a series fell, it began again from 0, and what had been counted since the scrape before is lost. "
          "With no scrape within 1 s of an "
          "edge of the window it is inconclusive. A series that never appeared is wrong where an increase is "
          "expected, and inconclusive where none is.\n\n"
          "`equals_calls_on` compares with the wire. On an edge to the service each attempt counts, as its "
          "server counts; on an edge from the service each call counts by how its last attempt ended for the "
          "service, as its client counts: with UNAVAILABLE when the answer was lost with the connection. A "
          "client also counts calls that fail or wait in vain for want of a connection, and these are not on "
          "the wire: where the edge was refused, or without a connection for a time, a count that is too "
          "high "
          "is inconclusive. A call whose deadline comes while it waits to be tried again counts here by its "
          "last attempt, and as DEADLINE_EXCEEDED at its client. Calls that ended while one of the two "
          "scrapes was under way, within 100 ms of it, "
          "or "
          "unseen at a restart, may be counted or not, and so may those that a server need not have noticed "
          "(see `log`); besides, the number may be off by `tolerance`, for at a deadline the caller's clock "
          "and "
          "the service's need not agree whether it was a timeout or a cancel. A counter that did not move at "
          "all never passes, whatever the tolerance. The samples are the calls that must have been "
          "counted.\n\n"
          "Codes in labels are spelt as the service spells them: go-grpc-prometheus, and the shop, write "
          "`DeadlineExceeded`.\n\n"
          "Sources: prometheus.io docs/instrumenting/exposition_formats, docs/prometheus/latest/querying/"
          "functions (increase); github.com/grpc-ecosystem/go-grpc-prometheus.",
      .example =
          R"({ "check": "metrics", "service": "orders", "series": "grpc_client_timeouts_total", "labels": { "grpc_method": "Reserve" }, "equals_calls_on": "orders->inventory", "status": "DEADLINE_EXCEEDED" })",
  });
}

}  // namespace breakwire::checks
