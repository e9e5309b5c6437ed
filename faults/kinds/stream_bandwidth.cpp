// stream_bandwidth: the messages of some calls are slow, and of no others.
#include "faults/kinds/byte_rate.h"
#include "faults/kinds/first_headers.h"
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class StreamBandwidth : public CallFault {
 public:
  ByteRate rate;

  static const Fields<StreamBandwidth>& fields() {
    static const auto all =
        Fields<StreamBandwidth>().required("rate", &StreamBandwidth::rate,
                                           "So many bytes of DATA a second at most, such as \"100kB/s\" or "
                                           "\"8Mbit/s\", for each call by itself.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (!kinds::at_first_headers(event)) return Forward{};
    // Each piece is a DATA frame with 9 bytes of its own, so it is not cut as small as bytes are.
    Pace pace = pace_of(rate);
    pace.bytes *= 10;
    pace.gap *= 10;
    return pace;
  }
};

}  // namespace

FaultKind stream_bandwidth_kind() {
  return make_kind<StreamBandwidth>({
      .name = "stream_bandwidth",
      .summary =
          "The messages of some calls come at no more than a given rate; the connection is not slowed.",
      .details =
          "On the wire: the DATA of each matched call leaves in small frames, one about every 10 ms, at "
          "`rate`; headers are not counted, and trailers come behind the DATA. At stage "
          "`response_headers` it is the response that is slow, at `headers` the request. A call counts "
          "from that stage on: one whose response has begun before the fault came into force is not "
          "slowed. Other calls, PING, SETTINGS and GOAWAY pass. The sender is stopped by its stream's "
          "flow-control window, so memory stays flat; the connection's window is opened in advance for "
          "what waits, up to 1 MiB, so that other calls keep theirs. Beyond that they feel it, which is "
          "told as the limit `held_bytes`.\n\n"
          "Peers see: a slow reader or writer of one stream: large messages that take long. A call whose "
          "message takes longer than its deadline ends with DEADLINE_EXCEEDED. Keepalive stays green.\n\n"
          "When it ends: what had waited leaves at once, in order, and the call goes on at full "
          "speed.\n\n"
          "Sources: RFC 9113 §5.2, §6.9; grpc/grpc doc/PROTOCOL-HTTP2.md \"Data frames\".",
      .example =
          R"({ "id": "trickle", "at": "1s", "for": "3s", "on": "orders->inventory", "fault": "stream_bandwidth", "with": { "rate": "20kB/s" }, "match": { "method": "shop.v1.InventoryService/*", "calls": { "every": 2 }, "stage": "response_headers" } })",
      .stages = {Stage::response_headers, Stage::headers},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
