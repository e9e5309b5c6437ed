// stall: bytes are held, not dropped.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Stall : public TransportFault {
 public:
  static const Fields<Stall>& fields() {
    static const Fields<Stall> none;
    return none;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<BytesReady>(event)) return Hold{};
    return Forward{};
  }
};

}  // namespace

FaultKind stall_kind() {
  return make_kind<Stall>({
      .name = "stall",
      .summary = "Nothing gets through, nothing is lost: bytes are held until the fault ends.",
      .details =
          "On the wire: connections stay up, new ones are still accepted and dialled, but no byte is "
          "forwarded. "
          "The kernels go on acknowledging until buffers are full; then the sender's writes block. It is "
          "what a "
          "peer looks like that is alive and does not read, a frozen process or a stuck proxy; packets that "
          "vanish, unacknowledged, look different to TCP (no retransmission happens here).\n\n"
          "Peers see: silence. A call with a deadline ends with DEADLINE_EXCEEDED; one without hangs as long "
          "as "
          "the stall does. A client with keepalive ends the connection when its PING is not answered: "
          "UNAVAILABLE after time + timeout (gRFC A8). Without keepalive it keeps sending new calls into the "
          "stalled connection.\n\n"
          "When it ends: the held bytes flow, in order, and the connection is valid. Calls that were given "
          "up "
          "meanwhile are followed by their RST_STREAM.\n\n"
          "Sources: RFC 9293 §3.8.6 (zero windows); gRFC A8; grpc/grpc doc/keepalive.md.",
      .example =
          R"({ "id": "frozen", "at": "2s", "for": "1500ms", "on": "orders->payments", "fault": "stall", "match": { "direction": "response" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
