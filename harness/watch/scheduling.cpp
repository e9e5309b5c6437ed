#include "harness/watch/scheduling.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace breakwire::watch {

struct Scheduling::State {
  std::mutex mutex;
  std::condition_variable stopped;
  bool stopping = false;
  Lateness lateness;
  std::thread thread;
};

void count_beat(Lateness& lateness, Instant due, Instant came) {
  const Duration late = came - due;
  ++lateness.beats;
  if (late > Scheduling::stall) ++lateness.stalls;
  if (late > lateness.worst) lateness.worst = late;
}

Scheduling::Scheduling() : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get()] {
    using Clock = std::chrono::steady_clock;
    std::unique_lock lock(state->mutex);
    for (;;) {
      const Instant due = Clock::now() + beat;
      if (state->stopped.wait_until(lock, due, [&] { return state->stopping; })) return;
      count_beat(state->lateness, due, Clock::now());
    }
  });
}

Scheduling::~Scheduling() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->stopped.notify_all();
  state_->thread.join();
}

Lateness Scheduling::so_far() const {
  const std::lock_guard lock(state_->mutex);
  return state_->lateness;
}

}  // namespace breakwire::watch
