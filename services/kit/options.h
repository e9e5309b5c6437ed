#pragma once
// The flags every service of the shop takes. Reads the command line, prints help and errors; touches nothing
// else.

#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "services/kit/breaker.h"
#include "services/kit/flaws.h"

namespace breakwire::kit {

/// What a service is, as far as its command line is concerned.
struct ServiceDescription {
  std::string name;
  std::string purpose;
  std::map<std::string, std::string>
      dependencies;                  ///< flag without dashes -> help, e.g. "orders"; all required
  std::vector<Flaw> possible_flaws;  ///< those that change something in this service
  bool breakers = false;             ///< it guards dependencies with circuit breakers, so has flags for them
};

struct Options {
  std::string name;
  std::string listen;   ///< HOST:PORT; port 0 takes a free one
  std::string metrics;  ///< HOST:PORT of the Prometheus metrics, port 0 takes a free one; empty: none
  std::map<std::string, std::string>
      dependencies;                          ///< as given: a gRPC target, or for the database what it accepts
  std::chrono::milliseconds grace{4000};     ///< from SIGTERM to the exit, at most
  std::chrono::milliseconds lame_duck{150};  ///< NOT_SERVING but still accepting, so that callers can notice
  std::chrono::milliseconds default_deadline{1000};  ///< of calls that arrive without one
  BreakerOptions breaker;                            ///< of each dependency that is guarded by one
  Flaws flaws;
};

/// The exit code to leave with: after --help (0), or after a wrong flag, said in one sentence on stderr (2).
struct Leave {
  int exit_code = 0;
};

std::variant<Options, Leave> parse_options(int argc, const char* const* argv,
                                           const ServiceDescription& service);

/// Says "NAME: WHAT" on stderr and returns the exit code for a service that cannot start: 2.
int cannot_start(const std::string& name, const std::string& what);

}  // namespace breakwire::kit
