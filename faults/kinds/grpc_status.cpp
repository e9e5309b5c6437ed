// grpc_status: a call is answered by the relay, before or after the service saw it.
#include <map>

#include "faults/kinds/make_kind.h"
#include "faults/kinds/metadata_rules.h"

namespace breakwire::faults {
namespace {

class GrpcStatus : public CallFault {
 public:
  StatusCode code = StatusCode::unavailable;
  std::string message = "injected fault";
  std::map<std::string, std::string> metadata;
  bool forward = false;

  static const Fields<GrpcStatus>& fields() {
    static const auto all =
        Fields<GrpcStatus>()
            .required("code", &GrpcStatus::code, "The status the caller gets.")
            .optional("message", &GrpcStatus::message, "Its grpc-message.")
            .optional("metadata", &GrpcStatus::metadata,
                      "Further trailers, such as grpc-retry-pushback-ms; values of keys in `-bin` as base64.")
            .optional(
                "forward", &GrpcStatus::forward,
                "false: the service never sees the call. true: it does the work, its answer is discarded "
                "and this status takes its place.")
            .rule(check_metadata);
    return all;
  }

  Scope scope() const override { return forward ? Scope::calls : Scope::new_calls; }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* reached = std::get_if<CallReached>(&event);
    if (!reached) return Forward{};
    if (forward && reached->stage == Stage::headers) return WithholdResponse{};
    if (reached->stage != (forward ? Stage::response_end : Stage::headers)) return Forward{};
    return EndCall{.code = code, .message = message, .metadata = kinds::metadata_of(metadata)};
  }

 private:
  static void check_metadata(const GrpcStatus&, const json::Value& object, ErrorList& errors) {
    const json::Value* written = object.find("metadata");
    if (!written) return;
    for (const json::Member& member : written->members) {
      if (member.key == "grpc-status" || member.key == "grpc-message") {
        errors.push_back(
            json::error_at(member.key_span, "`" + member.key + "` is set by `code` and `message`"));
      } else {
        kinds::check_field(member, errors);
      }
    }
  }
};

}  // namespace

FaultKind grpc_status_kind() {
  return make_kind<GrpcStatus>({
      .name = "grpc_status",
      .summary = "Calls are answered with a status of your choice.",
      .details =
          "On the wire: the caller gets Trailers-Only: one HEADERS frame with END_STREAM, `:status` 200, "
          "`grpc-status` and `grpc-message`. Without `forward` it is sent as soon as the request's HEADERS "
          "arrived; nothing of the call reaches the service. With `forward: true` the call goes through, the "
          "service finishes its work and its response is read and discarded; then the status is sent: work "
          "done, "
          "caller told otherwise. A call that was under way when such a fault came into force has its final "
          "status replaced; what the caller already got of the response stays.\n\n"
          "Peers see: the status, exactly as if the service had sent it. A client with a retry policy "
          "retries the "
          "codes that policy lists, since Trailers-Only does not commit an attempt (gRFC A6).\n\n"
          "When it ends: calls pass as before. A call of whose response some was discarded by then ends with "
          "UNAVAILABLE instead.\n\n"
          "OK without a message is malformed for a unary call; clients disagree about what to make of it.\n\n"
          "Sources: grpc/grpc doc/PROTOCOL-HTTP2.md \"Responses\", doc/statuscodes.md; gRFC A6.",
      .example =
          R"({ "id": "overload", "at": "1s", "for": "2s", "on": "orders->payments", "fault": "grpc_status", "with": { "code": "UNAVAILABLE", "message": "try later" }, "match": { "method": "shop.v1.PaymentsService/*", "calls": { "percent": "30%" } } })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
