// grpc_hang: one call stands still while its connection goes on.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class GrpcHang : public CallFault {
 public:
  static const Fields<GrpcHang>& fields() {
    static const Fields<GrpcHang> none;
    return none;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<CallReached>(event)) return Hold{};
    return Forward{};
  }
};

}  // namespace

FaultKind grpc_hang_kind() {
  return make_kind<GrpcHang>({
      .name = "grpc_hang",
      .summary = "Calls stand still at a stage while the connection and all other calls go on.",
      .details =
          "On the wire: from `match.stage` on, nothing more of the call is forwarded in that direction: at "
          "`headers` the service never hears of it; at `request_message` or `request_end` it waits for the "
          "rest; "
          "at `response_headers`, `response_message` or `response_end` it has answered and the caller waits. "
          "PING, "
          "SETTINGS, GOAWAY and other streams pass, so keepalive stays green: this is a stuck handler, not a "
          "stuck "
          "network.\n\n"
          "Peers see: nothing, until the deadline. Then the caller sends RST_STREAM(CANCEL) and reports "
          "DEADLINE_EXCEEDED; a call without a deadline hangs as long as the fault. gRPC does not retry a "
          "hung "
          "attempt: there is no time-out per attempt (gRFC A44), only hedging helps.\n\n"
          "When it ends: what was held flows on. A call held at `headers` then reaches the service with the "
          "`grpc-timeout` it was sent with, which began to count when the caller sent it. A call that the "
          "service's "
          "final GOAWAY refuses while it is held is reported as refused while held.\n\n"
          "Sources: grpc/grpc doc/PROTOCOL-HTTP2.md; RFC 9113 §6.8; gRFC A6, A44.",
      .example =
          R"({ "id": "stuck", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "grpc_hang", "match": { "method": "shop.v1.InventoryService/Reserve", "calls": { "first": 5 }, "stage": "response_headers" } })",
      .stages = {Stage::headers, Stage::request_message, Stage::request_end, Stage::response_headers,
                 Stage::response_message, Stage::response_end},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
