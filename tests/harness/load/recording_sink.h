// A sink that keeps what it is told and lets a test wait for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "harness/history/sink.h"

namespace breakwire {

class RecordingSink final : public history::Sink {
 public:
  void record(Instant at, history::Payload what) override {
    const std::lock_guard lock(mutex_);
    events_.push_back({.number = {events_.size() + 1}, .at = at, .what = std::move(what)});
    changed_.notify_all();
  }

  std::vector<history::Event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  /// All payloads of one kind, in order.
  template <class P>
  std::vector<P> all() const {
    std::vector<P> found;
    for (const auto& event : events()) {
      if (const auto* payload = std::get_if<P>(&event.what)) found.push_back(*payload);
    }
    return found;
  }

  /// Waits until `condition` holds of the events so far; false when it does not within `within`.
  bool wait(const std::function<bool(const std::vector<history::Event>&)>& condition,
            Duration within = 10s) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return condition(events_); });
  }

  template <class P>
  bool wait_for_count(size_t count, Duration within = 10s) const {
    return wait(
        [count](const auto& events) {
          size_t seen = 0;
          for (const auto& event : events) seen += std::holds_alternative<P>(event.what) ? 1 : 0;
          return seen >= count;
        },
        within);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<history::Event> events_;
};

}  // namespace breakwire
