// signal: what `kill -TERM` does.
#include "faults/kinds/make_kind.h"
#include "faults/kinds/names.h"

namespace breakwire::faults {
namespace {

class SignalFault : public ProcessFault {
 public:
  Signal signal = Signal::terminate;

  static const Fields<SignalFault>& fields() {
    static const auto all =
        Fields<SignalFault>().required("signal", &SignalFault::signal, "Which signal, by its name.");
    return all;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessArmed>(event)) return SendSignal{static_cast<int>(signal)};
    return Nothing{};
  }
};

}  // namespace

FaultKind signal_kind() {
  return make_kind<SignalFault>({
      .name = "signal",
      .summary = "A signal is sent to the service's process.",
      .details =
          "What happens: the signal is delivered once, to the service's own process and not to its children. "
          "SIGTERM is how orchestrators ask for a graceful shutdown; nothing more follows it here, so how "
          "long the "
          "service takes to exit is its own doing and a check's to judge.\n\n"
          "Peers see: with SIGTERM, of a service that drains: health NOT_SERVING, GOAWAY with the last "
          "stream id "
          "2³¹−1, a second GOAWAY with the real one, accepted calls completed, connections closed, and then "
          "refused connects. Of one that does not: connections ended in the middle of calls.\n\n"
          "When it ends: it has no end. A service that exited stays down; use `restart` to have it back.\n\n"
          "Sources: signal(7); RFC 9113 §6.8; Kubernetes, \"Pod Lifecycle: Termination of Pods\".",
      .example =
          R"({ "id": "term", "when": { "in_flight": { "on": "storefront->orders", "at_least": 5 } }, "on": "orders", "fault": "signal", "with": { "signal": "SIGTERM" } })",
      .lifetime = Lifetime::instant,
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
