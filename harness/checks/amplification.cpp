// amplification: how many attempts a callee gets for each call that somebody wanted. Pure.
#include <algorithm>
#include <cmath>
#include <set>

#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using history::Attempt;

constexpr Duration second = 1s;

class Amplification : public Check {
 public:
  EdgeId on;
  std::optional<EdgeId> of;
  std::optional<LoadId> load;
  double max = 0;
  std::optional<double> peak;

  static const Fields<Amplification>& fields() {
    static const auto all =
        Fields<Amplification>()
            .required("on", &Amplification::on, "The edge whose attempts are counted.")
            .optional("of", &Amplification::of, "Per call on this edge.")
            .optional("load", &Amplification::load,
                      "Per call of this load; left out, without `of`: of all loads.")
            .required("max", &Amplification::max, "No more attempts per call, over the window.")
            .optional("peak", &Amplification::peak, "No more attempts per call in any second of it.")
            .rule([](const Amplification& check, const json::Value& object, ErrorList& errors) {
              const auto wrong = [&](const char* what) {
                errors.push_back(json::error_at(object.span, what));
              };
              if (check.of && check.load) wrong("`amplification` takes `of` or `load`, not both");
              if (check.of == check.on) wrong("`on` and `of` are the same edge");
              if (!(check.max > 0)) wrong("`max` must be more than 0");
              if (check.peak && *check.peak < check.max) wrong("`peak` is less than `max`");
            });
    return all;
  }
  std::vector<Reference> references() const override {
    auto all = reference(load);
    all.push_back({Reference::To::edge, on.text, "on"});
    if (of) all.push_back({Reference::To::edge, of->text, "of"});
    return all;
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected = "at most " + ratio_text(max) + " attempts on " + on.text + " per call " + whose();
    if (peak) result.expected += ", and " + ratio_text(*peak) + " in any second";
    const Wanted wanted = calls_wanted(question);
    result.samples = wanted.begun.size();
    std::vector<const Attempt*> attempts;
    uint64_t failed = 0;
    for (const Attempt* attempt : question.calls.attempts(on)) {
      if (!wanted.owns(*attempt, question.window)) continue;
      attempts.push_back(attempt);
      const auto outcome = attempt->seen_by_caller();
      if (outcome && *outcome != StatusCode::ok) ++failed;
    }
    if (wanted.begun.empty()) {
      result.actual = counted(attempts.size(), "attempt") + ", no call";
      return inconclusive(result, "no call " + whose() + " began in the window");
    }
    const double over_all = static_cast<double>(attempts.size()) / static_cast<double>(wanted.begun.size());
    std::vector<std::string> parts{counted(attempts.size(), "attempt") + " for " +
                                   counted(wanted.begun.size(), "call") + ": " + ratio_text(over_all) +
                                   " per call"};
    const Busiest busiest = busiest_second(attempts, wanted, question.window);
    if (!attempts.empty()) {
      parts.push_back("busiest second from " + moment(busiest.from, question) + " with " +
                      ratio_text(busiest.ratio));
    }
    if (wanted.unclear > 0)
      parts.push_back(counted(wanted.unclear, "attempt") + " on " + of->text +
                      " could be calls of their own");
    result.actual = sentence(parts);
    const bool too_much = over_all > max;
    const bool too_steep = peak && busiest.ratio > *peak;
    if (too_much || too_steep) {
      show_those_of_one_call(attempts, busiest, too_steep, result);
      result.verdict = Verdict::failed;
      return result;
    }
    if (wanted.unclear > 0)
      return inconclusive(
          result, "how many calls there were on " + of->text + " is ambiguous; " + wanted.why_unclear);
    if (attempts.empty()) return inconclusive(result, "nothing was sent on " + on.text);
    if (failed == 0)
      return inconclusive(result,
                          "no attempt on " + on.text + " failed, so nothing could have been amplified");
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  /// The calls that are the measure.
  struct Wanted {
    std::vector<Instant> begun;          // of those in the window
    std::set<std::string> traces;        // of those
    std::set<std::string> other_traces;  // of those that began outside it, and of other loads' calls
    uint64_t unclear = 0;
    std::string why_unclear;

    void add(Instant t, const std::string& trace, const history::Window& window) {
      const bool inside = window.contains(t);
      if (inside) begun.push_back(t);
      if (!trace.empty()) (inside ? traces : other_traces).insert(trace);
    }
    /// An attempt counts where its call does. One of an unknown trace is somebody's all the same.
    bool owns(const Attempt& attempt, const history::Window& window) const {
      if (traces.contains(attempt.trace_id)) return true;
      return !other_traces.contains(attempt.trace_id) && window.contains(attempt.received);
    }
  };
  struct Busiest {
    Instant from;
    double ratio = 0;
  };

  Wanted calls_wanted(const Question& question) const {
    Wanted wanted;
    if (!of) {
      for (const auto& call : question.calls.load_calls()) {
        const std::string& trace = call.issued->trace_id;
        if (!load || call.issued->load == *load) {
          wanted.add(call.issued_at, trace, question.window);
        } else if (!trace.empty()) {
          wanted.other_traces.insert(trace);
        }
      }
      return wanted;
    }
    const history::Joined joined = question.calls.join(*of);
    for (const auto& call : joined.calls)
      wanted.add(call.first().received, call.first().trace_id, question.window);
    for (const Attempt* attempt : joined.ambiguous_attempts) {
      if (question.window.contains(attempt->received)) ++wanted.unclear;
    }
    wanted.why_unclear = joined.why_ambiguous;
    return wanted;
  }

  /// By when the attempts reached the edge, whosever they are: that is what a callee has to bear. A second
  /// with fewer calls than usual, such as one after the load, is measured by the usual number.
  static Busiest busiest_second(const std::vector<const Attempt*>& attempts, const Wanted& wanted,
                                const history::Window& window) {
    const auto [first, last] = std::minmax_element(wanted.begun.begin(), wanted.begun.end());
    const auto calls = static_cast<double>(wanted.begun.size());
    const double seconds = std::chrono::duration<double>(*last - *first).count();
    const double usual = seconds < 1 ? calls : (calls - 1) / seconds;
    std::map<int64_t, std::pair<double, double>> by_second;  // attempts, calls
    for (const Attempt* attempt : attempts) ++by_second[(attempt->received - window.begin) / second].first;
    for (const Instant t : wanted.begun) ++by_second[(t - window.begin) / second].second;
    Busiest busiest;
    for (const auto& [index, amounts] : by_second) {
      const double ratio = amounts.first / std::max(amounts.second, usual);
      if (ratio > busiest.ratio) busiest = {window.begin + index * second, ratio};
    }
    return busiest;
  }

  /// Twenty attempts of the trace that had most, in the busiest second if that is what is too much.
  static void show_those_of_one_call(const std::vector<const Attempt*>& attempts, const Busiest& busiest,
                                     bool steep, CheckResult& result) {
    std::map<std::string, std::vector<const Attempt*>> by_trace;
    for (const Attempt* attempt : attempts) {
      const bool inside = attempt->received >= busiest.from && attempt->received < busiest.from + second;
      if (inside || !steep) by_trace[attempt->trace_id].push_back(attempt);
    }
    const auto most = std::max_element(by_trace.begin(), by_trace.end(), [](const auto& a, const auto& b) {
      return a.second.size() < b.second.size();
    });
    if (most == by_trace.end()) return;
    for (const Attempt* attempt : most->second) show(result, attempt->event);
  }

  std::string whose() const {
    if (of) return "on " + of->text;
    return load ? "of " + load->text : "of all loads";
  }
  static std::string ratio_text(double ratio) {
    const auto hundredths = std::llround(ratio * 100);
    std::string text = std::to_string(hundredths / 100);
    if (hundredths % 100 == 0) return text;
    const auto rest = std::to_string(hundredths % 100);
    text += "." + std::string(2 - rest.size(), '0') + rest;
    while (text.back() == '0') text.pop_back();
    return text;
  }
};

}  // namespace

CheckKind amplification_kind() {
  return make_kind<Amplification>({
      .name = "amplification",
      .summary = "Retries do not turn one call into many: attempts per call stay bounded.",
      .details =
          "Counts the attempts that began on `on`, health and reflection aside, and divides by the calls: "
          "those "
          "that the load issued in the window, or those that began on the edge `of` (attempts joined as its "
          "`correlate` says). An attempt counts where its call does, by trace id: into the window in which "
          "its "
          "call began; with `load`, those of another load's calls are left out; one of a trace that no such "
          "call has counts when it began itself. Attempts that never reached the wire cost the callee "
          "nothing "
          "and are not counted.\n\n"
          "`peak` takes each second from the window's begin on by itself, by when the attempts arrived: that "
          "is "
          "what a callee has to bear. Calls are those begun in that second, but no fewer than on average, so "
          "that "
          "a second at the load's end does not look worse than it is, and retries after it are not lost.\n\n"
          "Every hop that retries multiplies: three hops with three attempts each send 27. Where no attempt "
          "on `on` failed nothing could have been amplified; staying below `max` proves nothing then, and "
          "the "
          "check is inconclusive. Samples are the calls.\n\n"
          "Sources: gRFC A6 (retry throttling); Google SRE book, Addressing Cascading Failures.",
      .example =
          R"({ "check": "amplification", "on": "orders->inventory", "load": "shoppers", "max": 1.2, "peak": 3 })",
  });
}

}  // namespace breakwire::checks
