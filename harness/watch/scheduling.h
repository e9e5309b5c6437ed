// How late this machine wakes those who sleep: what every time in a run has to be read against.
#pragma once

#include <cstdint>
#include <memory>

#include "base/duration.h"

namespace breakwire::watch {

struct Lateness {
  uint64_t beats = 0;   // how often was looked
  uint64_t stalls = 0;  // of these, later than `Scheduling::stall`
  Duration worst{};
};

/// Constructed means measuring, on a thread that does nothing but sleep for 5 ms at a time; the destructor
/// stops it.
class Scheduling {
 public:
  static constexpr Duration beat = 5ms;
  static constexpr Duration stall = 50ms;

  Scheduling();
  ~Scheduling();
  Scheduling(const Scheduling&) = delete;
  Scheduling& operator=(const Scheduling&) = delete;

  Lateness so_far() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Takes in one beat that was due at `due` and came at `came`. Pure.
void count_beat(Lateness& lateness, Instant due, Instant came);

}  // namespace breakwire::watch
