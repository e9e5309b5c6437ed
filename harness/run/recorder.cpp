#include "harness/run/recorder.h"

namespace breakwire::run {
namespace {

/// Events the conductor waits for besides what the timeline says.
bool concerns_conductor(const history::Payload& what) {
  return std::holds_alternative<history::LoadEnded>(what) ||
         std::holds_alternative<history::ProcessExited>(what);
}

}  // namespace

Instant time_of(const faults::Observation& observation) {
  return std::visit(
      [](const auto& seen) {
        if constexpr (requires { seen.times; }) {
          return seen.times.received;
        } else {
          return seen.at;
        }
      },
      observation);
}

Recorder::Recorder(history::Setup setup, Timeline& timeline, Keep keep)
    : history_(std::move(setup)), timeline_(timeline), keep_(keep) {}

/// `what` is moved once, to where it stays.
template <class What>
void Recorder::append(Instant at, What&& what) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    history_.append(at, std::forward<What>(what));
    const auto& event = history_.events().back();
    due = timeline_.observe(event) || concerns_conductor(event.what);
    woken_ = woken_ || due;
  }
  if (due) changed_.notify_all();
}

void Recorder::record(Instant at, history::Payload what) { append(at, std::move(what)); }

void Recorder::observe(faults::Observation&& observation) {
  if (keep_ == Keep::processes) return;
  const Instant at = time_of(observation);
  std::visit([&](auto&& seen) { append(at, std::forward<decltype(seen)>(seen)); }, std::move(observation));
}

void Recorder::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Recorder::wait_until(Instant deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return woken_; });
  woken_ = false;
}

void Recorder::catch_up(history::History& mine) {
  constexpr size_t batch = 256;
  for (bool more = true; more;) {
    std::vector<history::Event> copied;
    copied.reserve(batch);
    {
      const std::lock_guard lock(mutex_);
      const auto& events = history_.events();
      const auto unseen = events.begin() + static_cast<std::ptrdiff_t>(mine.events().size());
      const size_t count = std::min(batch, events.size() - mine.events().size());
      copied.assign(unseen, unseen + static_cast<std::ptrdiff_t>(count));
      more = unseen + static_cast<std::ptrdiff_t>(count) != events.end();
    }
    for (auto& event : copied) mine.append(event.at, std::move(event.what));
  }
}

history::History Recorder::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  return std::move(history_);
}

}  // namespace breakwire::run
