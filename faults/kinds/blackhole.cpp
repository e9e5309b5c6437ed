// blackhole: packets vanish, both ways.
#include "faults/kinds/isolating.h"

namespace breakwire::faults {
namespace {

class Blackhole : public TransportFault {
 public:
  static const Fields<Blackhole>& fields() {
    static const Fields<Blackhole> none;
    return none;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    return isolated(event, {.request = true, .response = true});
  }
};

}  // namespace

FaultKind blackhole_kind() {
  return make_kind<Blackhole>({
      .name = "blackhole",
      .summary = "Packets vanish, both ways: nothing arrives and nothing is acknowledged.",
      .details =
          "On the wire: the kernel drops every packet that either peer sends, before TCP sees it: data, "
          "ACKs, FIN, RST. Nothing is written to either. New connections are not answered: a SYN is lost "
          "like anything else, unless `match.connections` is `existing`. It is a pulled cable, a firewall "
          "that drops, a host that is gone without a word. What the relay's own kernel had been handed "
          "before may still arrive.\n\n"
          "Peers see: silence, and their own TCP giving up. Written bytes stay unacknowledged and are "
          "retransmitted with doubling pauses, for about 15 minutes by default (tcp_retries2); with "
          "TCP_USER_TIMEOUT, which gRPC sets to the keepalive time-out when keepalive is on (gRFC A18), the "
          "connection ends with ETIMEDOUT and calls with UNAVAILABLE. Without it calls end by their "
          "deadlines, one after the other, on a connection that is never replaced. connect(2) hangs; gRPC "
          "gives up an attempt after 20 s.\n\n"
          "When it ends: packets pass again, and TCP's retransmission heals what has lived on, without a "
          "lost "
          "byte; that takes as long as the pause the sender is in, which is at most about as long as the "
          "fault was. Who gave up meanwhile was not heard: the other side learns it by a RST when it writes "
          "next.\n\n"
          "What the report can show: the relay does not hear these packets either. On this edge, what a peer "
          "sends meanwhile (a call, the RST_STREAM of a caller that gives up) is seen when a retransmission "
          "brings it, with that time, or never: checks that name this edge say nothing of that time. Judge "
          "the "
          "caller by the edge it is called on, or by the load.\n\n"
          "Fidelity: dropping packets takes CAP_NET_ADMIN in the network namespace: root has it, and so has "
          "anybody in a namespace of their own (`unshare -rn`, then `ip link set lo up`). "
          "It is tried on a real connection, never assumed. Where it cannot be had, what peers send is held "
          "and the kernel acknowledges it until buffers are full, as `stall` does; new connections are "
          "accepted and held. The report says which it was, and `must_fire: {\"fidelity\": \"wire\"}` makes "
          "the run inconclusive without the real thing. A database's own side of its edge is a Unix socket, "
          "which has no packets: there bytes are held.\n\n"
          "It counts as hit for each connection it finds, and once for all who dial, when the first SYN was "
          "lost; where nobody was connected and nobody dialled, it has hit nothing.\n\n"
          "Sources: RFC 9293 §3.8.1, §3.8.3; tcp(7), TCP_USER_TIMEOUT; socket(7), SO_ATTACH_FILTER; gRFC A8, "
          "A18; grpc/grpc doc/connection-backoff.md.",
      .example =
          R"({ "id": "cable", "at": "1s", "for": "4s", "on": "orders->payments", "fault": "blackhole", "match": { "connections": "existing" }, "must_fire": { "fidelity": "wire" } })",
      .matches_by = {"connections"},
      .fidelity = "wire",
      .fidelity_by_action = fidelity_without_filter(),
  });
}

}  // namespace breakwire::faults
