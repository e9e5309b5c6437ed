// half_open: packets vanish, one way only.
#include "faults/kinds/isolating.h"
#include "faults/kinds/names.h"

namespace breakwire::faults {
namespace {

class HalfOpen : public TransportFault {
 public:
  Direction direction = Direction::request;

  static const Fields<HalfOpen>& fields() {
    static const auto all = Fields<HalfOpen>().required(
        "direction", &HalfOpen::direction,
        "Whose packets vanish: `request`, the caller's; `response`, the service's.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    return isolated(
        event, {.request = direction == Direction::request, .response = direction == Direction::response});
  }
};

}  // namespace

FaultKind half_open_kind() {
  return make_kind<HalfOpen>({
      .name = "half_open",
      .summary = "Packets vanish one way only: one peer is not heard any more, and hears the other.",
      .details =
          "On the wire: the kernel drops every packet of one peer, its data and its ACKs, before TCP sees "
          "them; what the other sends is delivered. Towards the peer that is not heard, the relay's TCP "
          "misses ACKs, as a real sender would: what is sent within about the first retransmission time-out "
          "(200 ms on loopback) arrives, then only that again until the fault is over. New connections come "
          "to nothing whichever way it is, for a handshake needs both: their SYNs are lost, unless "
          "`match.connections` is `existing`. It is asymmetric routing, a broken NAT entry, half of a "
          "cable.\n\n"
          "Peers see: with `request`, the caller's bytes stay unacknowledged (ETIMEDOUT under "
          "TCP_USER_TIMEOUT) while answers to calls that were under way still come; the service sees an "
          "idle connection. With `response`, the service still gets requests and works, its answers stay "
          "unacknowledged, and the caller hears nothing: calls end by their deadlines though the work was "
          "done. The other hop's kernel goes on acknowledging: the caller's requests are acknowledged by the "
          "relay in place of a service that cannot be heard.\n\n"
          "When it ends: as with `blackhole`, retransmission heals it.\n\n"
          "What the report can show: of the peer that is not heard, as with `blackhole`, nothing until it is "
          "over.\n\n"
          "Fidelity: as with `blackhole`; without CAP_NET_ADMIN that direction is held, as by `stall`. In "
          "the "
          "response direction of a database's edge it always is, for its own side is a Unix socket.\n\n"
          "It counts as hit for each connection it finds, and once for all who dial, when the first SYN was "
          "lost; where nobody was connected and nobody dialled, it has hit nothing.\n\n"
          "Sources: RFC 9293 §3.5.1, §3.8.1; tcp(7), TCP_USER_TIMEOUT; socket(7), SO_ATTACH_FILTER; gRFC "
          "A18.",
      .example =
          R"({ "id": "unheard", "at": "1s", "for": "3s", "on": "orders->payments", "fault": "half_open", "with": { "direction": "response" } })",
      .matches_by = {"connections"},
      .fidelity = "wire",
      .fidelity_by_action = fidelity_without_filter(),
  });
}

}  // namespace breakwire::faults
