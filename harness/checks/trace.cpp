// trace: one trace id for everything that is done for one call. Pure.
#include <algorithm>
#include <set>

#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using faults::Ending;
using history::Attempt;
using Attempts = std::vector<const Attempt*>;

/// The service itself has answered: from then on it works for this caller no more. A call that ended by its
/// deadline or a cancellation says nothing of what the service still does.
bool answered(const Attempt& attempt) {
  if (!attempt.end || attempt.end->how != Ending::trailers) return false;
  const auto status = attempt.outcome();
  return status != StatusCode::cancelled && status != StatusCode::deadline_exceeded;
}
bool answered_ok(const Attempt& attempt) { return answered(attempt) && attempt.outcome() == StatusCode::ok; }

/// What reached one service, by trace.
struct Served {
  std::map<std::string, Attempts> by_trace;
  std::map<std::string, std::set<std::string>> traces_of;  // by the value of the edge's correlation key
  Attempts untraced;
  bool any = false;
};

/// One way to be wrong: how often, and the first time.
struct Wrong {
  uint64_t count = 0;
  std::string first;
};

class Trace : public Check {
 public:
  std::optional<std::vector<EdgeId>> on;
  uint64_t concurrent = 2;
  bool detached = false;
  Duration slack = 10ms;
  std::optional<uint64_t> further;

  static const Fields<Trace>& fields() {
    static const auto all =
        Fields<Trace>()
            .optional("on", &Trace::on, "The edges whose calls are judged; left out: every gRPC edge.")
            .optional("concurrent", &Trace::concurrent,
                      "So many calls a service must have had at once, or cross-talk could not have shown.")
            .optional("detached", &Trace::detached,
                      "Services may answer before the calls that they make for it are over.")
            .optional("slack", &Trace::slack,
                      "How long after its answer a service may still begin or finish a call for it.")
            .optional(
                "further", &Trace::further,
                "A call that a service answers with OK takes so many further calls of one method, answered "
                "with OK: then one that took more beside one that took fewer are red. 0: the number differs, "
                "and is not judged. Left out: where most calls took the same number, they are inconclusive.")
            .rule([](const Trace& check, const json::Value& object, ErrorList& errors) {
              if (check.on && check.on->empty())
                errors.push_back(json::error_at(object.span, "`on` names no edge"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    std::vector<Reference> all;
    for (const EdgeId& edge : on.value_or(std::vector<EdgeId>{}))
      all.push_back({Reference::To::edge, edge.text, "on"});
    return all;
  }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    result.expected =
        "every call carries the trace id of the call it is made for, and a parent id of its caller's own";
    Search search{.question = question, .result = result};
    for (const auto& call : question.calls.load_calls())
      search.stamped.emplace(call.issued->call_id, call.issued->trace_id);
    for (const auto& edge : question.history.setup().edges) serve(edge, search);
    std::set<ServiceId> callers;
    uint64_t edges = 0;
    std::string silent;
    for (const auto& edge : question.history.setup().edges) {
      if (!edge.grpc || edge.control) continue;
      if (on && std::find(on->begin(), on->end(), edge.id) == on->end()) continue;
      Attempts attempts = question.calls.attempts(edge.id);
      std::erase_if(attempts, [&](const Attempt* a) { return !question.window.contains(a->received); });
      if (attempts.empty()) {
        silent += (silent.empty() ? "" : " and ") + edge.id.text;
        continue;
      }
      ++edges;
      const auto served = search.served.find(edge.from);
      if (served == search.served.end() || !served->second.any) {
        for (const Attempt* attempt : attempts) judge_entry(*attempt, search);
        continue;
      }
      callers.insert(edge.from);
      for (const Attempt* attempt : attempts) judge_hop(*attempt, edge.from, served->second, search);
      judge_counts(attempts, edge.from, served->second, search);
    }
    std::vector<std::string> parts{counted(result.samples, "further call") + " on " + counted(edges, "edge")};
    const auto [least, who] = least_concurrent(callers, search);
    if (!callers.empty()) parts.push_back(who + " had up to " + counted(least, "call") + " at once");
    for (const auto& [what, wrong] : search.wrong)
      parts.push_back(std::to_string(wrong.count) + " " + what + ", first " + wrong.first);
    if (search.doubt.count > 0)
      parts.push_back(std::to_string(search.doubt.count) + " may have been mixed up, first " +
                      search.doubt.first);
    if (search.untraceable > 0)
      parts.push_back(counted(search.untraceable, "call") + " may be for callers that came without a trace");
    if (!silent.empty()) parts.push_back("no call on " + silent);
    result.actual = sentence(parts);
    if (!search.wrong.empty()) return failed(std::move(result));
    if (result.samples == 0)
      return inconclusive(result, search.untraceable > 0 ? "all callers came without a trace"
                                                         : "no service that was called called any further");
    if (on && !silent.empty()) return inconclusive(result, "no call on " + silent);
    if (search.doubt.count > 0)
      return inconclusive(result, "calls may have been mixed up: " + search.doubt.first +
                                      "; `further` says whether that is wrong");
    if (least < concurrent) {
      return inconclusive(result, who + " never had " + std::to_string(concurrent) +
                                      " calls at once, so calls could not have been mixed up");
    }
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  struct Search {
    const Question& question;
    CheckResult& result;
    std::map<std::string, std::string> stamped = {};  // x-breakwire-call -> trace id
    std::map<ServiceId, Served> served = {};
    std::map<std::string, const Attempt*> spans = {};  // parent id -> the first that carried it
    std::map<std::string, Wrong> wrong = {};
    Wrong doubt = {};
    uint64_t untraceable = 0;
  };

  static void serve(const history::EdgeSetup& edge, Search& search) {
    if (!edge.grpc || edge.control) return;
    Served& served = search.served[edge.to];
    for (const Attempt* attempt : search.question.calls.attempts(edge.id)) {
      if (!attempt->forwarded) continue;
      served.any = true;
      if (attempt->trace_id.empty()) {
        served.untraced.push_back(attempt);
        continue;
      }
      served.by_trace[attempt->trace_id].push_back(attempt);
      if (!attempt->correlation.empty()) served.traces_of[attempt->correlation].insert(attempt->trace_id);
    }
  }

  static void blame(const std::string& what, const std::string& first, Attempts shown, Search& search) {
    Wrong& wrong = search.wrong[what];
    if (++wrong.count == 1) wrong.first = first;
    for (const Attempt* attempt : shown) show(search.result, attempt->event);
  }

  /// The trace that the load gave to a call, if it is one of the load's and still says so.
  static const std::string* stamped_trace(const Attempt& attempt, const Search& search) {
    const auto found = search.stamped.find(attempt.call_id);
    return attempt.call_id.empty() || found == search.stamped.end() ? nullptr : &found->second;
  }

  /// A call from outside: what the load stamped is what must be there. Others bring what they like.
  static void judge_entry(const Attempt& attempt, Search& search) {
    const std::string* stamped = stamped_trace(attempt, search);
    if (stamped && attempt.trace_id != *stamped)
      blame("carry another trace id than the load gave them", name_of(attempt), {&attempt}, search);
    note_span(attempt, search);
  }

  void judge_hop(const Attempt& attempt, const ServiceId& caller, const Served& served,
                 Search& search) const {
    const auto reached = [&](const Attempt* inbound) { return *inbound->forwarded <= attempt.received; };
    if (attempt.trace_id.empty()) {
      ++search.result.samples;
      return blame("carry no valid traceparent", where(attempt, search), {&attempt}, search);
    }
    const auto found = served.by_trace.find(attempt.trace_id);
    Attempts family = found == served.by_trace.end() ? Attempts{} : found->second;
    std::erase_if(family, [&](const Attempt* inbound) { return !reached(inbound); });
    if (family.empty() && std::any_of(served.untraced.begin(), served.untraced.end(), reached)) {
      ++search.untraceable;
      return;
    }
    ++search.result.samples;
    note_span(attempt, search);
    if (belongs_elsewhere(attempt, served, search)) {
      return blame("carry the trace id of another call than the one they are made for",
                   where(attempt, search), {&attempt}, search);
    }
    if (family.empty()) {
      return blame("carry a trace id that no call to their caller has brought",
                   where(attempt, search) + " from " + caller.text, {&attempt}, search);
    }
    Attempts alive = family;
    std::erase_if(alive, [&](const Attempt* inbound) {
      return answered(*inbound) && inbound->end->received + slack < attempt.received;
    });
    if (alive.empty()) {
      return blame("began after the only call of their trace had been answered", where(attempt, search),
                   {family.back(), &attempt}, search);
    }
    // What the service gave up itself, or lost, need not have been over before.
    const bool finished = !attempt.end || attempt.end->how == Ending::trailers;
    const Instant over =
        attempt.end ? attempt.ended_at().value_or(attempt.end->received) : search.question.history.last();
    const bool outlived = finished && std::all_of(alive.begin(), alive.end(), [&](const Attempt* inbound) {
                            return answered(*inbound) && inbound->end->received + slack < over;
                          });
    if (outlived && !detached) {
      return blame("were still running when the only call of their trace had been answered",
                   where(attempt, search), {alive.back(), &attempt}, search);
    }
    const auto same_parent = std::find_if(family.begin(), family.end(), [&](const Attempt* inbound) {
      return inbound->parent_id == attempt.parent_id;
    });
    if (same_parent != family.end())
      blame("carry the parent id that their caller was given", where(attempt, search),
            {*same_parent, &attempt}, search);
  }

  /// What else the call carries tells whose it is: the load's stamp, or the value of the edge's key.
  static bool belongs_elsewhere(const Attempt& attempt, const Served& served, const Search& search) {
    if (const std::string* stamped = stamped_trace(attempt, search)) return attempt.trace_id != *stamped;
    const auto traces = served.traces_of.find(attempt.correlation);
    return !attempt.correlation.empty() && traces != served.traces_of.end() &&
           !traces->second.contains(attempt.trace_id);
  }

  /// A span belongs to one trace.
  static void note_span(const Attempt& attempt, Search& search) {
    if (attempt.parent_id.empty()) return;
    const auto [first, fresh] = search.spans.emplace(attempt.parent_id, &attempt);
    if (fresh || first->second->trace_id == attempt.trace_id) return;
    blame("carry a parent id that is another trace's", where(attempt, search), {first->second, &attempt},
          search);
  }

  /// Swapped ids of calls that were open together keep to all of the above. But where each call that a
  /// service answers with OK takes one further call (or two, …), one that took fewer while another at the
  /// same time took more have been mixed up. Whether it does so is for the file to say; that most calls did
  /// is a guess, for a cache or a batch may serve some. Only of traces that reached the service as one
  /// attempt, and only further attempts that were answered with OK: retries change neither.
  void judge_counts(const Attempts& attempts, const ServiceId& caller, const Served& served,
                    Search& search) const {
    if (further == 0u) return;
    std::map<std::string, std::map<std::string, Attempts>> made;  // by method, by trace
    for (const Attempt* attempt : attempts) {
      auto& by_trace = made[attempt->method];
      if (answered_ok(*attempt)) by_trace[attempt->trace_id].push_back(attempt);
    }
    std::map<std::string, Attempts> causes;  // by method
    for (const auto& [trace, inbound] : served.by_trace) {
      const Attempt& cause = *inbound.front();
      if (inbound.size() == 1 && answered_ok(cause) && search.question.window.contains(cause.received))
        causes[cause.method].push_back(&cause);
    }
    for (const auto& [method, by_trace] : made) {
      for (const auto& [cause, inbound] : causes) judge_counts_of(inbound, by_trace, caller, search);
    }
  }
  void judge_counts_of(const Attempts& inbound, const std::map<std::string, Attempts>& by_trace,
                       const ServiceId& caller, Search& search) const {
    const auto count_of = [&](const Attempt* cause) {
      const auto found = by_trace.find(cause->trace_id);
      return found == by_trace.end() ? size_t{0} : found->second.size();
    };
    std::map<size_t, size_t> calls_by_count;
    for (const Attempt* cause : inbound) ++calls_by_count[count_of(cause)];
    const auto most = std::max_element(calls_by_count.begin(), calls_by_count.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == calls_by_count.end() || (!further && most->second * 2 <= inbound.size())) return;
    const size_t usual = further.value_or(most->first);
    Attempts more, fewer;
    for (const Attempt* cause : inbound) {
      if (count_of(cause) > usual) more.push_back(cause);
      if (count_of(cause) < usual) fewer.push_back(cause);
    }
    for (const Attempt* rich : more) {
      const auto poor = std::find_if(fewer.begin(), fewer.end(), [&](const Attempt* other) {
        return *other->forwarded < rich->end->received && *rich->forwarded < other->end->received;
      });
      if (poor == fewer.end()) continue;
      Attempts shown{*poor, rich};
      for (const Attempt* attempt : by_trace.at(rich->trace_id)) shown.push_back(attempt);
      const std::string found = caller.text + " made " + counted(count_of(rich), "call") +
                                " in the trace of " + name_of(*rich) + " and " +
                                std::to_string(count_of(*poor)) + " in that of " + name_of(**poor) +
                                ", where " + std::to_string(usual) + " is usual";
      if (further) {
        blame("calls were given the trace id of another that was open beside them", found, shown, search);
      } else {
        if (++search.doubt.count == 1) search.doubt.first = found;
        for (const Attempt* attempt : shown) show(search.result, attempt->event);
      }
    }
  }

  /// Of the services that called further, the one that had fewest calls of different traces at once.
  static std::pair<uint64_t, std::string> least_concurrent(const std::set<ServiceId>& callers,
                                                           const Search& search) {
    std::pair<uint64_t, std::string> least{UINT64_MAX, ""};
    for (const ServiceId& caller : callers) {
      std::vector<std::pair<Instant, int>> steps;
      for (const auto& [trace, inbound] : search.served.at(caller).by_trace) {
        const Attempt& first = *inbound.front();
        if (!search.question.window.contains(first.received)) continue;
        steps.emplace_back(*first.forwarded, 1);
        if (first.end) steps.emplace_back(first.end->received, -1);
      }
      std::sort(steps.begin(), steps.end());
      int open = 0, most = 0;
      for (const auto& [t, change] : steps) most = std::max(most, open += change);
      if (static_cast<uint64_t>(most) < least.first) least = {static_cast<uint64_t>(most), caller.text};
    }
    return least;
  }

  /// "orders->inventory connection 2 stream 7 at 1.204 s".
  static std::string where(const Attempt& attempt, const Search& search) {
    std::string text = name_of(attempt);
    if (text.find(attempt.edge.text) == std::string::npos) text += " on " + attempt.edge.text;
    return text + " at " + moment(attempt.received, search.question);
  }
};

}  // namespace

CheckKind trace_kind() {
  return make_kind<Trace>({
      .name = "trace",
      .summary = "Whatever is done for a call carries its trace id, on every edge, and nobody else's.",
      .details =
          "Judges the calls (streams: every attempt by itself) that began in the window on gRPC edges, "
          "breakwire's "
          "own and health and reflection aside. On an edge into the system a call carries the trace id that "
          "the "
          "load gave it (x-breakwire-call says which call it is); calls of other clients are taken as they "
          "come. "
          "On any further edge, each call:\n"
          "1. carries a valid traceparent (W3C trace context level 1; a malformed one, and ids of zeros, are "
          "none);\n"
          "2. has the trace id of a call that had reached its caller by then, and that the caller had not "
          "answered more than `slack` ago. One that its deadline or a cancellation ended does not count as "
          "answered. While a caller serves calls that came without a trace, trace ids of its own making are "
          "not judged;\n"
          "3. unless `detached`, is answered at most `slack` after that call was (one that its caller reset "
          "meanwhile is fine);\n"
          "4. has a parent id other than the one its caller was given, and not one seen in another trace. "
          "Attempts "
          "of one call may share theirs: with retries by service config they always do.\n\n"
          "Two calls that are open together could swap their ids. That shows by 2 and 3 as soon as one "
          "begins or "
          "ends outside the other. Besides: where a service makes the same number of further calls for each "
          "call of one method, counting those that were answered with OK, one that took more while another "
          "that was open beside it took fewer are a mix-up. With `further` that is so, and it is red; "
          "without, "
          "where more than half took the same number, it may be so, or a cache or a batch served some, and "
          "the "
          "check is inconclusive. Where services pass on x-breakwire-call, "
          "or the value of the edges' `correlate: metadata:<key>`, each call is told apart by itself. An "
          "even "
          "swap of calls that begin and end together, with nothing else to tell them by, does not show on "
          "the wire.\n\n"
          "Samples are the calls on further edges. A service that never had `concurrent` calls at once could "
          "not "
          "have mixed them up, and the check is inconclusive; so it is when an edge named in `on` saw no "
          "call.\n\n"
          "Sources: https://www.w3.org/TR/trace-context/ §3.2.",
      .example = R"({ "check": "trace", "concurrent": 5, "min_samples": 100 })",
  });
}

}  // namespace breakwire::checks
