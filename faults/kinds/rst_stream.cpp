// rst_stream: one call is torn down by RST_STREAM, while its connection goes on.
#include "faults/kinds/make_kind.h"
#include "faults/kinds/names.h"

namespace breakwire::faults {
namespace {

class RstStream : public CallFault {
 public:
  Http2Error code = Http2Error::cancel;

  static const Fields<RstStream>& fields() {
    static const auto all = Fields<RstStream>().required(
        "code", &RstStream::code,
        "The error code that the caller gets. REFUSED_STREAM promises that the call was not processed and "
        "is allowed at stage `headers` only.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<CallReached>(event)) return ResetStream{code};
    return Forward{};
  }

  void check(const EntryParts& entry, ErrorList& errors) const {
    if (code != Http2Error::refused_stream || entry.match.stage == Stage::headers) return;
    errors.push_back(
        json::error_at(entry.with.find("code")->span,
                       "REFUSED_STREAM promises that the call was not processed, and at stage `" +
                           Codec<std::optional<Stage>>::show(entry.match.stage) + "` the service has seen it",
                       "act at stage `headers`, or say another code, such as CANCEL or INTERNAL_ERROR"));
  }
};

}  // namespace

FaultKind rst_stream_kind() {
  return make_kind<RstStream>({
      .name = "rst_stream",
      .summary = "Calls are torn down by RST_STREAM with a code of your choice; the connection lives on.",
      .details =
          "On the wire: when the call reaches `match.stage`, the caller gets RST_STREAM with `code`, and "
          "what it got before stays; what made the call reach that stage is not forwarded. At `headers` "
          "nothing of the call reaches the service; at any later stage the service's stream is reset with "
          "CANCEL, unless the service has finished it already. REFUSED_STREAM is possible at `headers` "
          "only: it says that the call was not processed, and a client may repeat such a call on its own "
          "(RFC 9113 §8.7).\n\n"
          "Peers see: the caller, a status by the code: REFUSED_STREAM is UNAVAILABLE, CANCEL is CANCELLED "
          "(DEADLINE_EXCEEDED once the deadline has passed), ENHANCE_YOUR_CALM is RESOURCE_EXHAUSTED, "
          "INADEQUATE_SECURITY is PERMISSION_DENIED, and everything else INTERNAL, with differences between "
          "libraries. The service: a cancelled call.\n\n"
          "When it ends: calls pass as before.\n\n"
          "Sources: RFC 9113 §5.4.2, §7, §8.7; grpc/grpc doc/PROTOCOL-HTTP2.md \"Errors\"; gRFC A6 "
          "\"Transparent Retries\".",
      .example =
          R"({ "id": "torn", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "rst_stream", "with": { "code": "INTERNAL_ERROR" }, "match": { "method": "shop.v1.InventoryService/*", "calls": { "every": 3 }, "stage": "response_headers" } })",
      .stages = {Stage::headers, Stage::request_message, Stage::request_end, Stage::response_headers,
                 Stage::response_message, Stage::response_end},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
