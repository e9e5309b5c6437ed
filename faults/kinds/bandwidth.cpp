// bandwidth: a narrow link.
#include "faults/kinds/byte_rate.h"
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Bandwidth : public TransportFault {
 public:
  ByteRate rate;

  static const Fields<Bandwidth>& fields() {
    static const auto all = Fields<Bandwidth>().required(
        "rate", &Bandwidth::rate,
        "So many bytes a second at most, such as \"100kB/s\" or \"8Mbit/s\": for each connection, and each "
        "direction, by itself.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* chunk = std::get_if<BytesReady>(&event);
    if (!chunk || chunk->count == 0) return Forward{};
    return pace_of(rate);
  }
};

}  // namespace

FaultKind bandwidth_kind() {
  return make_kind<Bandwidth>({
      .name = "bandwidth",
      .summary = "A narrow link: every byte arrives, in order, at no more than a given rate.",
      .details =
          "On the wire: what is forwarded leaves in small pieces, one about every millisecond, at `rate`, "
          "HTTP/2's "
          "frame headers and control frames counted. The rate holds for every connection by itself and for "
          "both "
          "directions separately, unless `match.direction` names one. About 20 ms' worth, and at least 64 "
          "KiB, "
          "waits in the relay; then the sender is not read any more, its kernel's buffers fill and its "
          "writes "
          "block. A FIN or RST comes behind the bytes. Pieces are counted in absolute time, so the rate is "
          "accurate over any time longer than a few milliseconds; a pause is not saved up for a burst. With "
          "`latency` at the same time, bytes are late first and paced then.\n\n"
          "Peers see: large messages that take long, and small ones that wait behind them, on all calls of "
          "the "
          "connection: PING acks and WINDOW_UPDATE too. A call whose message takes longer than its deadline "
          "ends with DEADLINE_EXCEEDED; a keepalive time-out shorter than the queue of bytes ends the "
          "connection (gRFC A8).\n\n"
          "When it ends: what had waited leaves at once, in order, and the connection goes on as before.\n\n"
          "Sources: RFC 9293 §3.8.6 (flow control by window); RFC 9113 §5.2; gRFC A8.",
      .example =
          R"({ "id": "narrow", "at": "1s", "for": "3s", "on": "orders->inventory", "fault": "bandwidth", "with": { "rate": "100kB/s" }, "match": { "direction": "response" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
