#include "services/kit/postgres/monitor.h"

#include <poll.h>

#include <algorithm>

namespace breakwire::kit {

using Clock = std::chrono::steady_clock;

bool Hysteresis::note(bool good) {
  in_a_row_ = good == up_ ? 0 : in_a_row_ + 1;
  int needed = up_ ? bad_to_fall_ : (ever_up_ ? good_to_rise_ : 1);
  if (in_a_row_ >= needed) {
    up_ = good;
    ever_up_ = ever_up_ || good;
    in_a_row_ = 0;
  }
  return up_;
}

DatabaseMonitor::DatabaseMonitor(DatabaseAddress address, std::function<void(bool)> changed,
                                 MonitorOptions options)
    : address_(std::move(address)),
      changed_(std::move(changed)),
      options_(options),
      hysteresis_(options.bad_to_fall, options.good_to_rise),
      thread_([this] { run(); }) {}

DatabaseMonitor::~DatabaseMonitor() {
  stop_.raise();
  thread_.join();
}

void DatabaseMonitor::note(bool good) {
  bool up = hysteresis_.note(good);
  if (up_.exchange(up) != up) changed_(up);
}

void DatabaseMonitor::pause(std::chrono::milliseconds time) {
  pollfd stopped{.fd = stop_.fd(), .events = POLLIN, .revents = 0};
  ::poll(&stopped, 1, static_cast<int>(time.count()));
}

void DatabaseMonitor::run() {
  std::optional<Connection> connection;
  bool connecting = false;
  auto began = Clock::now();
  auto backoff = options_.first_backoff;
  while (!stop_.raised()) {
    if (!connection) {
      connection.emplace(address_);
      connecting = true;
      began = Clock::now();
    }
    switch (connection->advance(Clock::now() + options_.overdue, stop_)) {
      case Connection::Progress::done:
        if (connecting) {
          connecting = false;
        } else {
          note(std::holds_alternative<Rows>(connection->take_answer()));
          backoff = options_.first_backoff;
          pause(options_.interval);
        }
        connection->start({.text = "select 1", .parameters = {}});
        began = Clock::now();
        break;
      case Connection::Progress::pending:
        if (stop_.raised()) return;
        note(false);
        if (Clock::now() - began >= options_.patience) connection.reset();
        break;
      case Connection::Progress::failed:
        note(false);
        connection.reset();
        pause(backoff);
        backoff = std::min(backoff * 2, options_.max_backoff);
        break;
    }
  }
}

}  // namespace breakwire::kit
