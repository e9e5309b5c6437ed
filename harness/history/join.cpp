// Attempts become calls. Each way of `correlate` and what it cannot tell:
//
// attempts_header  Same method and, where there is one, same trace id: an attempt that says n previous ones
//                  follows the failed (or, hedged, running) call with the most attempts below n. gRPC leaves
//                  transparent retries out of that number (gRFC A6), so an attempt that repeats the number
//                  of a refused one follows it.
// automatic        The same; but a new attempt without the header, after a failure of the same method in the
//                  same trace, may be a retry written by hand: ambiguous, unless the caller was itself
//                  called again in that trace meanwhile.
// trace            All attempts of one method in one trace are one call.
// metadata         One value, one call.
// serial           What begins while one call of the load is open belongs to it; overlapping calls are
// ambiguous.
#include <algorithm>
#include <map>

#include "harness/history/calls.h"

namespace breakwire::history {
namespace {

using By = Correlate::By;

bool refused(const Attempt& attempt) {
  if (!attempt.end) return false;
  return attempt.end->how == faults::Ending::refused_by_goaway ||
         attempt.end->how == faults::Ending::refused_while_held ||
         attempt.end->reset == Http2Error::refused_stream;
}

bool over_before(const Attempt& attempt, Instant t) {
  return attempt.end && std::min(attempt.end->received, attempt.ended_at().value_or(t)) <= t;
}

std::string name_of(const Attempt& attempt) {
  if (!attempt.call_id.empty()) return attempt.call_id;
  if (!attempt.trace_id.empty()) return "trace " + attempt.trace_id;
  return "connection " + std::to_string(attempt.connection.value) + " stream " +
         std::to_string(attempt.stream);
}

/// When the calling service was itself called, by trace id.
using Causes = std::map<std::string, std::vector<Instant>>;

class Joiner {
 public:
  Joiner(Correlate correlate, const std::vector<Calls::LoadCall>& load_calls, Causes causes)
      : correlate_(std::move(correlate)), load_calls_(load_calls), causes_(std::move(causes)) {
    joined_.by = correlate_.by;
  }

  void add(const Attempt& attempt) {
    switch (correlate_.by) {
      case By::automatic:
      case By::attempts_header:
        return by_header(attempt);
      case By::trace:
        return by_value(attempt, attempt.trace_id, "it carries no valid traceparent");
      case By::metadata:
        return by_value(attempt, attempt.correlation, "it carries no `" + correlate_.key + "`");
      case By::serial:
        return one_at_a_time(attempt);
    }
  }

  Joined take() { return std::move(joined_); }

 private:
  void begin(const Attempt& attempt, const std::string& group) {
    groups_[group].push_back(joined_.calls.size());
    joined_.calls.push_back({name_of(attempt), {&attempt}});
  }
  void extend(size_t call, const Attempt& attempt) { joined_.calls[call].attempts.push_back(&attempt); }
  void ambiguous(const Attempt& attempt, const std::string& why) {
    if (++joined_.ambiguous == 1) joined_.why_ambiguous = name_of(attempt) + ": " + why;
    joined_.ambiguous_attempts.push_back(&attempt);
  }

  void by_value(const Attempt& attempt, const std::string& value, const std::string& why_not) {
    if (value.empty()) {
      ambiguous(attempt, why_not);
      return begin(attempt, "");
    }
    const std::string group = value + ' ' + attempt.method;
    const auto found = groups_.find(group);
    found == groups_.end() ? begin(attempt, group) : extend(found->second.front(), attempt);
  }

  void by_header(const Attempt& attempt) {
    const std::string group = attempt.trace_id + ' ' + attempt.method;
    std::vector<size_t> refusals, failures, running;
    for (const size_t index : groups_[group]) {
      const Attempt& last = joined_.calls[index].last();
      const bool over = over_before(last, attempt.received);
      if (over && refused(last) && last.previous_attempts == attempt.previous_attempts) {
        refusals.push_back(index);
      } else if (over && last.seen_by_caller() != StatusCode::ok) {
        failures.push_back(index);
      } else if (!over) {
        running.push_back(index);
      }
    }
    if (!refusals.empty()) return extend_one(refusals, attempt);
    // Failures of a time before the caller was called again have found their end there.
    std::vector<size_t> recent = failures;
    std::erase_if(recent, [&](size_t i) {
      return called_between(attempt.trace_id, joined_.calls[i].last().received, attempt.received);
    });
    if (attempt.previous_attempts == 0) {
      if (correlate_.by == By::automatic && !recent.empty()) {
        ambiguous(attempt,
                  "it follows a failed attempt of its method without grpc-previous-rpc-attempts: a retry "
                  "written by hand, or a new call? Say so with the edge's `correlate`");
      }
      return begin(attempt, group);
    }
    for (auto* candidates : {&recent, &failures, &running}) {
      unsigned most = 0;
      std::erase_if(*candidates, [&](size_t i) {
        return joined_.calls[i].last().previous_attempts >= attempt.previous_attempts;
      });
      for (size_t i : *candidates) most = std::max(most, joined_.calls[i].last().previous_attempts);
      std::erase_if(*candidates, [&](size_t i) { return joined_.calls[i].last().previous_attempts < most; });
      if (!candidates->empty()) return extend_one(*candidates, attempt);
    }
    begin(attempt, group);  // its earlier attempts never reached this edge's wire
  }

  bool called_between(const std::string& trace, Instant from, Instant to) const {
    const auto found = causes_.find(trace);
    if (trace.empty() || found == causes_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(),
                       [&](Instant t) { return from < t && t <= to; });
  }

  void extend_one(const std::vector<size_t>& candidates, const Attempt& attempt) {
    if (candidates.size() > 1) {
      ambiguous(attempt, "it could continue any of " + std::to_string(candidates.size()) +
                             " parallel calls; without trace ids they look alike");
    }
    extend(candidates.front(), attempt);
  }

  void one_at_a_time(const Attempt& attempt) {
    const Calls::LoadCall* owner = nullptr;
    size_t open = 0;
    for (const auto& call : load_calls_) {
      if (call.issued_at > attempt.received || (call.done && call.done_at < attempt.received)) continue;
      owner = &call;
      ++open;
    }
    if (open != 1) {
      ambiguous(attempt, open == 0 ? "no call of a load was open when it began"
                                   : std::to_string(open) + " calls of the load were open when it began");
      return begin(attempt, "");
    }
    const std::string group =
        owner->issued->load.text + ' ' + std::to_string(owner->issued->number) + ' ' + attempt.method;
    const auto found = groups_.find(group);
    found == groups_.end() ? begin(attempt, group) : extend(found->second.front(), attempt);
  }

  Correlate correlate_;
  const std::vector<Calls::LoadCall>& load_calls_;
  Causes causes_;
  Joined joined_;
  std::map<std::string, std::vector<size_t>> groups_;  // calls that could be continued, by what they share
};

}  // namespace

Joined Calls::join(const EdgeId& edge) const {
  const EdgeSetup* setup = history_->setup().edge(edge);
  Causes causes;
  for (const auto& inbound : history_->setup().edges) {
    if (!setup || inbound.to != setup->from) continue;
    for (const Attempt* attempt : attempts(inbound.id)) {
      if (attempt->forwarded) causes[attempt->trace_id].push_back(*attempt->forwarded);
    }
  }
  Joiner joiner(setup ? setup->correlate : Correlate{}, load_calls_, std::move(causes));
  for (const Attempt* attempt : attempts(edge)) joiner.add(*attempt);
  return joiner.take();
}

}  // namespace breakwire::history
