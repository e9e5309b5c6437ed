// truncate_message: a message stops half-way, and its stream ends as if it had been whole.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class TruncateMessage : public CallFault {
 public:
  ByteSize bytes{5};

  static const Fields<TruncateMessage>& fields() {
    static const auto all =
        Fields<TruncateMessage>().optional("bytes", &TruncateMessage::bytes,
                                           "So much of the message goes, its 5-byte prefix included. A "
                                           "message that is not longer loses its last "
                                           "byte.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* reached = std::get_if<CallReached>(&event);
    const bool here =
        reached && (reached->stage == Stage::request_message || reached->stage == Stage::response_message);
    if (!here) return Forward{};
    return CutMessage{bytes.bytes};
  }
};

}  // namespace

FaultKind truncate_message_kind() {
  return make_kind<TruncateMessage>({
      .name = "truncate_message",
      .summary = "A message is cut after so many bytes, and the stream ends in order.",
      .details =
          "On the wire: of the message that `match.message` names, or of the first there is, the first "
          "`bytes` bytes go, in DATA frames as they are; then nothing more of that direction but its "
          "end. At `response_message` the caller then gets the service's trailers, as they come and with "
          "the status they have; at `request_message` the service gets END_STREAM, and answers as it "
          "will. The rest is read, credited to its sender's windows and thrown away, so the sender "
          "notices nothing; a caller that is still sending when the answer has ended gets "
          "RST_STREAM(NO_ERROR).\n\n"
          "Peers see: a message whose prefix says more than there is. A receiver must not take it for "
          "whole, and some do: C-core 1.51 reports the status it finds, so with OK a Python caller gets "
          "None for its response and a C++ caller, by the callback API, an empty one (profile "
          "`ccore-1.51`). Others say INTERNAL. A service should refuse such a request; it must not run "
          "the handler on half a message.\n\n"
          "When it ends: calls pass as before; what was cut stays cut.\n\n"
          "Sources: grpc/grpc doc/PROTOCOL-HTTP2.md \"Length-Prefixed-Message\"; RFC 9113 §8.1; measured "
          "with gRPC 1.51.1.",
      .example =
          R"({ "id": "half", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "truncate_message", "with": { "bytes": "8B" }, "match": { "method": "shop.v1.InventoryService/*", "calls": { "first": 3 }, "stage": "response_message", "message": 0 } })",
      .stages = {Stage::response_message, Stage::request_message},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
