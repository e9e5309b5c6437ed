// missing_trailers: a response ends without a status.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class EndOn { data, headers };
}

template <>
struct breakwire::EnumNames<breakwire::faults::EndOn> {
  using E = faults::EndOn;
  static std::string type() { return "frame"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"data", E::data}, {"headers", E::headers}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class MissingTrailers : public CallFault {
 public:
  EndOn end_stream_on = EndOn::data;

  static const Fields<MissingTrailers>& fields() {
    static const auto all = Fields<MissingTrailers>().optional(
        "end_stream_on", &MissingTrailers::end_stream_on,
        "`data`: END_STREAM comes on an empty DATA frame in place of the trailers. `headers`: the trailers "
        "come, "
        "without `grpc-status`, `grpc-message` and `grpc-status-details-bin`.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* reached = std::get_if<CallReached>(&event);
    if (!reached || reached->stage != Stage::response_end) return Forward{};
    if (!reached->fields) return Forward{};  // it has no trailers anyway
    if (end_stream_on == EndOn::data) return DropTrailers{};
    if (!value_of(*reached->fields, "grpc-status")) return Forward{};
    return EditFields{
        .remove = {"grpc-status", "grpc-message", "grpc-status-details-bin"}, .set = {}, .rewrite = {}};
  }
};

}  // namespace

FaultKind missing_trailers_kind() {
  return make_kind<MissingTrailers>({
      .name = "missing_trailers",
      .summary = "Responses end without a status, as through a proxy that loses trailers.",
      .details =
          "On the wire: all of the response arrives but its end: in place of the trailers comes an empty "
          "DATA frame with END_STREAM, or, with `\"end_stream_on\": \"headers\"`, trailers without the "
          "three fields that say the status. A Trailers-Only response becomes HEADERS with `:status` 200 "
          "and the DATA frame, or HEADERS without the three. A call that was under way when the fault "
          "came into force is hit too. A response that the service itself ends without trailers is left "
          "alone, and is no hit.\n\n"
          "Peers see: the caller has every message and no outcome; gRPC makes UNKNOWN of it (of "
          "`:status` 200; C-core says \"Stream removed\"). The service: a success. Known defect of "
          "gRPC's C-core (C++, Python and others, as in the profile `ccore-1.51`; grpc/grpc#34683): of "
          "`\"end_stream_on\": \"headers\"` a client whose retries are on, which is the default, aborts "
          "its process: SIGABRT in C++, SIGILL in Python. Such a client needs `grpc.enable_retries` 0; "
          "or, when the crash is what the scenario shows, waive `no_unexpected_exit` with the defect as "
          "the reason. breakwire's own load has its retries off unless its `service_config` turns them "
          "on.\n\n"
          "When it ends: calls pass as before.\n\n"
          "Sources: grpc/grpc doc/PROTOCOL-HTTP2.md \"Responses\", doc/http-grpc-status-mapping.md; "
          "grpc/grpc#34683; measured with gRPC 1.51.1.",
      .example =
          R"({ "id": "no-outcome", "at": "1s", "for": "2s", "on": "storefront->orders", "fault": "missing_trailers", "match": { "method": "shop.v1.OrdersService/PlaceOrder", "calls": { "every": 3 } } })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
