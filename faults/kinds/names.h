// The names under which files and reports know the enums of faults. Pure.
#pragma once

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/described.h"
#include "faults/match.h"

namespace breakwire::faults {

/// A signal that a file may name; the value is its number on this machine (signal(7)).
enum class Signal : int {
  hup = SIGHUP,
  interrupt = SIGINT,
  quit = SIGQUIT,
  abort = SIGABRT,
  kill = SIGKILL,
  usr1 = SIGUSR1,
  usr2 = SIGUSR2,
  pipe = SIGPIPE,
  alarm = SIGALRM,
  terminate = SIGTERM,
};

}  // namespace breakwire::faults

namespace breakwire {

template <>
struct EnumNames<faults::Direction> {
  static std::string type() { return "direction"; }
  static const std::vector<std::pair<std::string, faults::Direction>>& names();
};
template <>
struct EnumNames<faults::Connections> {
  static std::string type() { return "choice of connections"; }
  static const std::vector<std::pair<std::string, faults::Connections>>& names();
};
template <>
struct EnumNames<faults::Stage> {
  static std::string type() { return "stage of a call"; }
  static const std::vector<std::pair<std::string, faults::Stage>>& names();
};
template <>
struct EnumNames<faults::Signal> {
  static std::string type() { return "signal"; }
  static const std::vector<std::pair<std::string, faults::Signal>>& names();
};

}  // namespace breakwire
