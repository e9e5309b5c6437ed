// What tests of harness/run ask of a recorder while the run goes on.
#pragma once

#include <thread>
#include <vector>

#include "harness/run/recorder.h"

namespace breakwire::run {

inline Instant now() { return std::chrono::steady_clock::now(); }

/// All events of one kind so far.
template <class P>
std::vector<P> all_of(Recorder& recorder) {
  return recorder.locked([](const history::History& history, Timeline&) {
    std::vector<P> found;
    history::each<P>(history, [&](const auto&, const P& payload) { found.push_back(payload); });
    return found;
  });
}

/// True as soon as it holds; false when it does not within 20 s.
bool eventually(const auto& holds) {
  for (const Instant deadline = now() + 20s; now() < deadline; std::this_thread::yield()) {
    if (holds()) return true;
  }
  return false;
}

}  // namespace breakwire::run
