// reset: TCP RST, at one moment or for a while. Why it may have a length: docs/decisions/0002.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Reset : public TransportFault {
 public:
  static const Fields<Reset>& fields() {
    static const Fields<Reset> none;
    return none;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ConnectionFound>(event) || std::holds_alternative<ConnectionOffered>(event))
      return ResetConnection{};
    return Forward{};
  }
};

}  // namespace

FaultKind reset_kind() {
  return make_kind<Reset>({
      .name = "reset",
      .summary = "Connections are torn down by a true TCP RST, to both peers.",
      .details = "On the wire: a RST, not a FIN; what was queued is thrown away, as when a host reboots or a "
                 "firewall "
                 "forgets its state. Without `for` it happens at one moment, to every connection that is "
                 "open then. With "
                 "`for`, new connections are reset as well, right after they were accepted and before a byte "
                 "was read, "
                 "until it ends; `match.connections` restricts it to `existing` or `new` ones.\n\n"
                 "Peers see: ECONNRESET. Every call on the connection fails with UNAVAILABLE, the handlers "
                 "on the other "
                 "side are cancelled. Whether a call had been processed cannot be known from it, so gRPC "
                 "retries it only "
                 "under a retry policy. The client reconnects.\n\n"
                 "When it ends: connections are accepted as usual.\n\n"
                 "Sources: RFC 9293 §3.5.3; PROTOCOL-HTTP2.md \"Errors\"; gRFC A6.",
      .example =
          R"({ "id": "cut", "at": "2s", "for": "500ms", "on": "inventory->db", "fault": "reset", "match": { "connections": "new" } })",
      .lifetime = Lifetime::optional_span,
      .matches_by = {"connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
