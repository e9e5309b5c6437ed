// The history: everything that happened in one run, in order. Pure; the only truth that checks and reports
// read.
#pragma once

#include "harness/history/event.h"
#include "harness/history/event_list.h"
#include "harness/history/setup.h"

namespace breakwire::history {

class History {
 public:
  History() = default;
  explicit History(Setup setup) : setup_(std::move(setup)) {}

  /// Numbers the event, from 1. Only harness/run does this, and tests that write a history by hand.
  template <class What>
  EventNumber append(Instant at, What&& what) {
    const EventNumber number{events_.size() + 1};
    events_.emplace_back(number, at, std::forward<What>(what));
    return number;
  }

  const Setup& setup() const { return setup_; }
  const EventList& events() const& { return events_; }
  const EventList& events() const&& = delete;  // it would dangle
  const Event& event(EventNumber number) const { return events_.at(number.value - 1); }

  /// t = 0: the start of load (the first phase after setup). The first event's time before that.
  Instant zero() const;
  /// The last event's time.
  Instant last() const;

 private:
  Setup setup_;
  EventList events_;
};

/// Calls `visit(event, payload)` for each event of one kind, in order.
template <class P, class Visit>
void each(const History& history, Visit visit) {
  for (const auto& event : history.events()) {
    if (const auto* payload = std::get_if<P>(&event.what)) visit(event, *payload);
  }
}

}  // namespace breakwire::history
