// pause: alive, and frozen.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Pause : public ProcessFault {
 public:
  static const Fields<Pause>& fields() {
    static const Fields<Pause> none;
    return none;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessArmed>(event)) return StopTree{};
    return ContinueTree{};
  }
};

}  // namespace

FaultKind pause_kind() {
  return make_kind<Pause>({
      .name = "pause",
      .summary = "The service is frozen: alive, connected, and doing nothing.",
      .details =
          "What happens: SIGSTOP to the process and every descendant. Its sockets stay open and the kernel "
          "goes on "
          "accepting connections into the backlog and acknowledging bytes into its buffers; nobody reads "
          "them. "
          "It is a long garbage collection, a stuck disk, or a virtual machine being migrated.\n\n"
          "Peers see: silence on open connections, and new connections that succeed and never answer. Health "
          "checks time out; a check of the open port succeeds. Deadlines end calls; keepalive ends "
          "connections.\n\n"
          "When it ends: SIGCONT. The service wakes with its timers overdue and reads what has piled up: "
          "calls "
          "whose callers gave up long ago, which it should notice and not run.\n\n"
          "Sources: signal(7); gRFC A8.",
      .example = R"({ "id": "freeze", "at": "1s", "for": "1500ms", "on": "inventory", "fault": "pause" })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
