// The calls of a load that is a command, put together from what its edge shows.
#include <algorithm>
#include <set>

#include "harness/history/calls.h"

namespace breakwire::history {
namespace {

/// When breakwire ended the command; the end of time when it did not.
Instant ended_by_us(const LoadSetup& load, const History& history) {
  Instant ended = Instant::max();
  if (!load.stopped_after) return ended;
  each<LoadBegan>(history, [&](const Event& event, const LoadBegan& began) {
    if (began.load == load.id) ended = event.at + *load.stopped_after;
  });
  return ended;
}

struct Ended {
  StatusCode status = StatusCode::ok;
  Instant at;
};

/// What the caller saw of its end; nothing while it waits.
std::optional<Ended> end_of(const Attempt& attempt, std::optional<Instant> deadline, Instant now) {
  if (!attempt.end) return std::nullopt;
  const auto status = attempt.seen_by_caller();
  const auto at = attempt.ended_at();
  const bool of_the_caller = attempt.given_up || attempt.end->how == faults::Ending::reset_by_downstream ||
                             attempt.end->how == faults::Ending::connection_lost;
  // Its library ends the call by itself while the answer is on its way.
  if (!of_the_caller && deadline && at.value_or(now) > *deadline)
    return Ended{StatusCode::deadline_exceeded, *deadline};
  if (!status || !at) return std::nullopt;
  return Ended{*status, *at};
}

}  // namespace

void Calls::add_calls_of_commands(Instant torn_down) {
  const Setup& setup = history_->setup();
  if (std::none_of(setup.loads.begin(), setup.loads.end(), [](const auto& load) { return load.command(); }))
    return;
  std::set<std::string> stamped;
  for (const LoadCall& call : load_calls_) stamped.insert(call.issued->call_id);
  std::map<std::pair<ConnectionId, StreamId>, uint64_t> responses;
  each<faults::MessageSeen>(*history_, [&](const Event&, const faults::MessageSeen& message) {
    if (message.direction == faults::Direction::response) ++responses[{message.connection, message.stream}];
  });
  for (const LoadSetup& load : setup.loads) {
    if (!load.command()) continue;
    const Instant ours = ended_by_us(load, *history_);
    uint64_t number = 0;
    for (const Call& call : join(load.via).calls) {
      const Attempt& first = call.first();
      const Attempt& last = call.last();
      if (stamped.contains(first.call_id) || first.received >= torn_down) continue;
      std::optional<Instant> deadline;
      if (first.timeout) deadline = first.received + *first.timeout;
      const auto ended = end_of(last, deadline, std::min(history_->last(), torn_down));
      if (ended && ended->at >= ours && ended->status != StatusCode::ok) continue;
      auto seen = std::make_shared<Seen>();
      CallIssued& issued = seen->issued;
      issued = {
          .load = load.id,
          .number = ++number,
          .call_id = first.call_id.empty() ? load.id.text + "-" + std::to_string(number) : first.call_id,
          .trace_id = first.trace_id,
          .method = first.method,
          .deadline = deadline,
          .intended = first.received};
      LoadCall made{.issued = &issued, .issued_event = first.event, .issued_at = first.received};
      if (ended && ended->at < torn_down) {
        const auto* told = std::get_if<faults::CallEnded>(&history_->event(last.end->event).what);
        seen->done = {.load = load.id,
                      .number = number,
                      .call_id = issued.call_id,
                      .status = ended->status,
                      .message = told && told->status == ended->status ? told->message : "",
                      .intended = issued.intended,
                      .issued = issued.intended,
                      .deadline = deadline,
                      .responses = responses[{last.connection, last.stream}]};
        made.done = &seen->done;
        made.done_event = last.end->event;
        made.done_at = ended->at;
      }
      load_calls_.push_back(made);
      seen_.push_back(std::move(seen));
    }
  }
  std::stable_sort(load_calls_.begin(), load_calls_.end(), [](const LoadCall& a, const LoadCall& b) {
    return a.issued_event.value < b.issued_event.value;
  });
}

}  // namespace breakwire::history
