#include "cli/interrupt.h"

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <utility>

namespace breakwire::cli {
namespace {

sigset_t signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Interrupt::Interrupt(std::string then) {
  const sigset_t set = signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Writing to a closed pipe (`breakwire … | head`) is an error of that write, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  waiter_ = std::jthread([this, set, then = std::move(then)](std::stop_token done) {
    while (!done.stop_requested()) {
      const timespec slice{0, 50'000'000};
      const int signal = sigtimedwait(&set, nullptr, &slice);
      if (signal < 0) continue;
      if (source_.stop_requested()) {
        // The guard cleans up after us.
        static constexpr char text[] = "\nbreakwire: interrupted again, leaving at once\n";
        (void)!::write(STDERR_FILENO, text, sizeof text - 1);
        _exit(130);
      }
      std::fprintf(stderr, "\nbreakwire: interrupted; %s (again to leave at once)\n", then.c_str());
      source_.request_stop();
    }
  });
}

Interrupt::~Interrupt() = default;

}  // namespace breakwire::cli
