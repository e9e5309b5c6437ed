// Ctrl-C: the first SIGINT, SIGTERM or SIGHUP asks the run to end with what it has, the second ends the
// program.
#pragma once

#include <stop_token>
#include <string>
#include <thread>

namespace breakwire::cli {

/// Make it before any other thread: it blocks the signals for this thread and all that come from it, and
/// waits for them on one of its own. Services are children of the guard and never get the terminal's Ctrl-C.
class Interrupt {
 public:
  /// `then`: what the first signal leads to, for the sentence that it is answered with.
  explicit Interrupt(std::string then);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace breakwire::cli
