// latency: everything arrives, in order, later.
#include <algorithm>
#include <cmath>

#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Latency : public TransportFault {
 public:
  Duration delay{};
  Duration jitter{};

  static const Fields<Latency>& fields() {
    static const auto all =
        Fields<Latency>()
            .required("delay", &Latency::delay, "How much later every byte arrives, per direction.")
            .optional("jitter", &Latency::jitter,
                      "Up to this much more or less, drawn anew for each chunk of bytes; the "
                      "sum is never below 0.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng& rng) const override {
    if (!std::holds_alternative<BytesReady>(event)) return Forward{};
    const double swing = jitter > 0ns ? rng.uniform(-1, 1) * static_cast<double>(jitter.count()) : 0;
    return Delay{std::max(delay + Duration{std::llround(swing)}, Duration{})};
  }
};

}  // namespace

FaultKind latency_kind() {
  return make_kind<Latency>({
      .name = "latency",
      .summary = "Every byte arrives, in order, but later.",
      .details =
          "On the wire: each chunk is forwarded `delay` ± `jitter` after it was received. Chunks are "
          "pipelined, "
          "not stop-and-wait: a transfer takes one delay longer, not one per chunk. Order is kept, so jitter "
          "stretches gaps and never reorders. Both directions are delayed unless `match.direction` names "
          "one, so "
          "a round trip grows by twice the delay. Control frames are bytes too: PING acks, WINDOW_UPDATE and "
          "GOAWAY come late as well. The TCP handshake and the peers' ACKs are not delayed.\n\n"
          "Peers see: a slow network. A call whose deadline is shorter than the added time ends with "
          "DEADLINE_EXCEEDED and RST_STREAM(CANCEL); with keepalive, a delay beyond the keepalive time-out "
          "ends "
          "the connection (gRFC A8).\n\n"
          "When it ends: what was delayed leaves at once, in order, and the connection goes on as before.\n\n"
          "Sources: RFC 9113 §5.1, §6.7; gRFC A8; grpc/grpc doc/keepalive.md.",
      .example =
          R"({ "id": "slow", "at": "1s", "for": "3s", "on": "orders->inventory", "fault": "latency", "with": { "delay": "300ms", "jitter": "50ms" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
