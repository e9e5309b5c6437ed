// restart: down for a while, then back with the same command and ports.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class StopBy { kill, terminate };
}

template <>
struct breakwire::EnumNames<breakwire::faults::StopBy> {
  using E = faults::StopBy;
  static std::string type() { return "stop signal"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"SIGKILL", E::kill}, {"SIGTERM", E::terminate}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class Restart : public ProcessFault {
 public:
  Duration down{};
  StopBy signal = StopBy::kill;

  static const Fields<Restart>& fields() {
    static const auto all =
        Fields<Restart>()
            .required("down", &Restart::down, "The time from the signal to the moment it is started again.")
            .optional(
                "signal", &Restart::signal,
                "How it is stopped: SIGKILL to the process and every descendant, or SIGTERM to the process.");
    return all;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessCleared>(event)) return StartAgain{};
    if (signal == StopBy::terminate) return SendSignal{SIGTERM};
    return KillTree{};
  }
};

}  // namespace

FaultKind restart_kind() {
  return make_kind<Restart>({
      .name = "restart",
      .summary = "The service goes down and comes back after a while.",
      .details =
          "What happens: the service is stopped and, `down` later, started again with the same command, "
          "environment and ports. With SIGTERM, `down` counts from the signal, so a drain is part of it; "
          "what "
          "still runs when it is over is killed before the new process starts. A database keeps its data and "
          "recovers.\n\n"
          "Peers see: their connections end, connects are refused while it is down, then a new process on "
          "the "
          "same address, which has forgotten what was only in memory. Clients in back-off come back when "
          "their "
          "back-off is over.\n\n"
          "When it ends: at the start of the new process; whether and when it is ready is a check's to "
          "judge.\n\n"
          "Sources: signal(7); grpc/grpc doc/connection-backoff.md; Kubernetes, \"Pod Lifecycle\".",
      .example =
          R"({ "id": "bounce", "at": "2s", "on": "db", "fault": "restart", "with": { "down": "1s" } })",
      .lifetime = Lifetime::down,
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
