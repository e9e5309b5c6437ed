// refuse: nobody listens.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Refuse : public TransportFault {
 public:
  static const Fields<Refuse>& fields() {
    static const Fields<Refuse> none;
    return none;
  }

  Scope scope() const override { return Scope::listener; }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<Armed>(event)) return StopListening{};
    return Forward{};
  }
};

}  // namespace

FaultKind refuse_kind() {
  return make_kind<Refuse>({
      .name = "refuse",
      .summary = "New connections are refused; those that exist live on.",
      .details =
          "On the wire: the edge's listener is closed, so the kernel answers a SYN with RST, as it does when "
          "a "
          "service is not running. The port stays reserved: nobody else gets it. Established connections are "
          "not "
          "touched; to end them too, add a `reset` at the same time.\n\n"
          "Peers see: ECONNREFUSED. A gRPC client without wait_for_ready fails its calls with UNAVAILABLE at "
          "once and reconnects after a back-off (1 s, then ×1.6, at most 120 s, ± 20 %); with wait_for_ready "
          "they "
          "queue until their deadline.\n\n"
          "When it ends: the listener is back on the same port. A client in back-off comes back when its "
          "back-off "
          "is over, not before.\n\n"
          "It counts as hit when the listener is closed: refused SYNs are answered by the kernel and cannot "
          "be "
          "counted.\n\n"
          "Sources: RFC 9293 §3.5.2; grpc/grpc doc/connection-backoff.md, doc/wait-for-ready.md.",
      .example = R"({ "id": "gone", "at": "1s", "for": "2s", "on": "orders->payments", "fault": "refuse" })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
