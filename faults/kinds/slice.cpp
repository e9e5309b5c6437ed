// slice: the same bytes in small segments, with gaps between them.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

constexpr Duration least_gap = 100us;  // what timers resolve

class Slice : public TransportFault {
 public:
  ByteSize size{1};
  Duration gap = 5ms;

  static const Fields<Slice>& fields() {
    static const auto all =
        Fields<Slice>()
            .required("size", &Slice::size, "The most bytes that one segment may have.")
            .optional(
                "gap", &Slice::gap,
                "The least time between two segments of one direction; a smaller one is followed sooner, "
                "by its share. At least \"100us\".")
            .rule([](const Slice& slice, const json::Value& object, ErrorList& errors) {
              if (slice.size.bytes > 0) return;
              errors.push_back(json::error_at(object.find("size")->span, "a segment has at least one byte",
                                              "write \"1B\" or more"));
            })
            .rule([](const Slice& slice, const json::Value& object, ErrorList& errors) {
              if (slice.gap >= least_gap) return;
              errors.push_back(json::error_at(
                  object.find("gap")->span,
                  "a `gap` of " + to_text(slice.gap) + " is less than the relay's clock can keep",
                  "write \"100us\" or more; only a gap keeps segments apart"));
            });
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* chunk = std::get_if<BytesReady>(&event);
    if (!chunk || chunk->count == 0) return Forward{};
    return Pace{.bytes = size.bytes, .gap = gap};
  }
};

}  // namespace

FaultKind slice_kind() {
  return make_kind<Slice>({
      .name = "slice",
      .summary = "Every byte arrives, in order, in small segments with gaps between them.",
      .details =
          "On the wire: what is forwarded is written in pieces of at most `size` bytes, each as a TCP "
          "segment of "
          "its own (no Nagle), `gap` after the one before it. Frames, their headers and messages are cut "
          "anywhere. Nothing is lost, nothing changes its order, and the sender is slowed to `size` per "
          "`gap`. "
          "Both directions, each by itself, unless `match.direction` names one. A FIN or RST comes behind "
          "the "
          "bytes.\n\n"
          "Peers see: reads that return a few bytes, never a whole frame or message at once. Correct code "
          "does "
          "not care, except for the time it takes; code that takes one read for one message fails.\n\n"
          "When it ends: what had waited leaves at once, and bytes pass as they come.\n\n"
          "Sources: RFC 9293 §3.7 (a segment's borders mean nothing); RFC 9113 §4.1; grpc/grpc "
          "doc/PROTOCOL-HTTP2.md \"Requests\" (DATA borders are unrelated to messages').",
      .example =
          R"({ "id": "crumbs", "at": "1s", "for": "3s", "on": "orders->inventory", "fault": "slice", "with": { "size": "7B", "gap": "2ms" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
