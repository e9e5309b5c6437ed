// grpc_delay: calls go on, but later, at a stage of theirs.
#include <algorithm>
#include <cmath>

#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class GrpcDelay : public CallFault {
 public:
  Duration delay{};
  Duration jitter{};

  static const Fields<GrpcDelay>& fields() {
    static const auto all =
        Fields<GrpcDelay>()
            .required("delay", &GrpcDelay::delay, "How much later the call goes on at that stage.")
            .optional("jitter", &GrpcDelay::jitter,
                      "Up to this much more or less, drawn anew each time; the sum is never below 0. Drawn "
                      "in order of arrival, so a replay draws the same only for serial load.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng& rng) const override {
    if (!std::holds_alternative<CallReached>(event)) return Forward{};
    const double swing = jitter > 0ns ? rng.uniform(-1, 1) * static_cast<double>(jitter.count()) : 0;
    return Delay{std::max(delay + Duration{std::llround(swing)}, Duration{})};
  }
};

}  // namespace

FaultKind grpc_delay_kind() {
  return make_kind<GrpcDelay>({
      .name = "grpc_delay",
      .summary = "Calls go on later at a stage, while the connection and all other calls are not slowed.",
      .details =
          "On the wire: what makes the call reach `match.stage` leaves `delay` ± `jitter` after it was "
          "received, and what follows in that direction of the call waits behind it: at `headers` the "
          "service "
          "hears of the call so much later; at the `response_…` stages it has answered and the caller waits. "
          "At the message stages each message is delayed, or the one that `match.message` names. Messages "
          "are pipelined, not stop-and-wait: each one's time counts from its own arrival. Order within a "
          "call is kept, so jitter stretches gaps and never reorders. PING, SETTINGS, GOAWAY and other "
          "calls pass, so keepalive stays green: this is a slow handler, not a slow network.\n\n"
          "Peers see: a slow service. A caller whose deadline comes first sends RST_STREAM(CANCEL) and "
          "reports DEADLINE_EXCEEDED; of a call delayed at `headers` the service then never hears. "
          "`grpc-timeout` is relative and travels unchanged, so a service that got the call late counts it "
          "from then, and its deadline is later than the caller's.\n\n"
          "When it ends: what it delayed leaves at once, in order.\n\n"
          "Sources: grpc/grpc doc/PROTOCOL-HTTP2.md \"Requests\" (Timeout); RFC 9113 §5.1, §6.8.",
      .example =
          R"({ "id": "slow-reserve", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "grpc_delay", "with": { "delay": "400ms", "jitter": "100ms" }, "match": { "method": "shop.v1.InventoryService/Reserve", "calls": { "percent": "30%" }, "stage": "response_headers" } })",
      .stages = {Stage::headers, Stage::request_message, Stage::request_end, Stage::response_headers,
                 Stage::response_message, Stage::response_end},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
