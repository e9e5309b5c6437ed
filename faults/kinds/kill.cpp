// kill: the process and all it started are gone at once.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Kill : public ProcessFault {
 public:
  static const Fields<Kill>& fields() {
    static const Fields<Kill> none;
    return none;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessArmed>(event)) return KillTree{};
    return Nothing{};
  }
};

}  // namespace

FaultKind kill_kind() {
  return make_kind<Kill>({
      .name = "kill",
      .summary = "The service dies at once: SIGKILL to its process and every descendant.",
      .details = "What happens: SIGKILL, which cannot be handled: no drain, no flush, no GOAWAY. Descendants "
                 "are killed "
                 "too, a database's backends among them. This is an out-of-memory kill or a lost host, "
                 "except that the "
                 "kernel lives on and closes the sockets.\n\n"
                 "Peers see: their connections closed by the kernel: FIN, or RST where unread data was "
                 "pending. Calls "
                 "under way fail with UNAVAILABLE, new connects are refused. For a host that vanishes "
                 "without a word, use "
                 "a fault on the edge.\n\n"
                 "When it ends: it has no end, the service stays down; use `restart` to have it back.\n\n"
                 "Sources: signal(7); RFC 9293 §3.6; PROTOCOL-HTTP2.md \"Errors\".",
      .example = R"({ "id": "crash", "at": "2s", "on": "inventory", "fault": "kill" })",
      .lifetime = Lifetime::instant,
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
