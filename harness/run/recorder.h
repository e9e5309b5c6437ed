// The only writer of a History: takes events from every thread, numbers them, and wakes the conductor when
// one of them makes something due. Touches no socket and no file.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "faults/observation.h"
#include "harness/history/history.h"
#include "harness/history/sink.h"
#include "harness/run/timeline.h"

namespace breakwire::run {

/// When an observation happened: a frame when it was received.
Instant time_of(const faults::Observation& observation);

/// Thread-safe. One lock over history and timeline, held for microseconds.
class Recorder final : public history::Sink, public faults::Observer {
 public:
  enum class Keep { everything, processes };  // processes: nothing of what the wire shows
  Recorder(history::Setup setup, Timeline& timeline, Keep keep = Keep::everything);

  void record(Instant at, history::Payload what) override;
  void observe(faults::Observation&& observation) override;

  /// Something happened that the conductor must see to at once.
  void wake();
  /// Returns at `deadline`, or as soon as something is due, a load has ended, a process has exited, or
  /// `wake`.
  void wait_until(Instant deadline);

  /// Reads or moves on under the lock; `use` must be quick and must not record.
  template <class Use>
  auto locked(Use use) {
    const std::lock_guard lock(mutex_);
    return use(std::as_const(history_), timeline_);
  }
  /// Appends to `mine`, a history of the same set-up, what was recorded since it was last brought up to date;
  /// whoever judges while the run goes on does so outside the lock. Holds it for a few hundred events at a
  /// time.
  void catch_up(history::History& mine);
  /// The history, when nobody records any more (later events are dropped).
  history::History finish();

 private:
  template <class What>
  void append(Instant at, What&& what);

  std::mutex mutex_;
  std::condition_variable changed_;
  history::History history_;
  Timeline& timeline_;
  const Keep keep_;
  bool woken_ = false;
  bool finished_ = false;
};

}  // namespace breakwire::run
