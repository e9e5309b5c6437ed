#pragma once
// grpc.health.v1 with two questions kept apart: "liveness" (restart me?) and "readiness" (send me calls?).
// "" answers as readiness does. Answers come from memory: a Check never waits for what it reports on.

#include <functional>
#include <memory>

#include "services/kit/flaws.h"

namespace grpc {
class Service;
}

namespace breakwire::kit {

class Health {
 public:
  /// NOT_SERVING until `set_able`. Heeds the flaws always-serving and liveness-needs-database.
  explicit Health(Flaws flaws);
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  /// Whether what the service cannot do without (its database) is there. Thread-safe; watchers are told of
  /// changes.
  void set_able(bool able);

  /// What every Check does before it answers, on the thread that serves it: for the flaw health-blocks only.
  /// Before the server starts.
  void ask_first(std::function<void()> question);

  /// Readiness is NOT_SERVING from here on. Liveness stays what it was.
  void begin_drain();

  /// Ends every Watch, now and later, after its last state was sent: an open stream would hold the drain.
  void end_watches();

  /// To be registered with the server; lives as long as this object, which must outlive the server.
  grpc::Service& service();

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace breakwire::kit
