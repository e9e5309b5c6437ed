// lose_response: the work was done, the caller never hears of it.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class AfterLoss { unavailable, reset, hang };
}

template <>
struct breakwire::EnumNames<breakwire::faults::AfterLoss> {
  using E = faults::AfterLoss;
  static std::string type() { return "outcome"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{
        {"unavailable", E::unavailable}, {"reset", E::reset}, {"hang", E::hang}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class LoseResponse : public CallFault {
 public:
  AfterLoss then = AfterLoss::unavailable;

  static const Fields<LoseResponse>& fields() {
    static const auto all =
        Fields<LoseResponse>().optional("then", &LoseResponse::then,
                                        "What the caller gets instead: the status `unavailable`, a TCP "
                                        "`reset` of the connection (which ends the "
                                        "other calls on it too), or nothing at all (`hang`).");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* reached = std::get_if<CallReached>(&event);
    if (reached && reached->stage == Stage::headers) return WithholdResponse{};
    if (!reached || reached->stage != Stage::response_end) return Forward{};
    switch (then) {
      case AfterLoss::unavailable:
        return EndCall{.code = StatusCode::unavailable, .message = "response lost", .metadata = {}};
      case AfterLoss::reset:
        return ResetConnection{};
      case AfterLoss::hang:
        return Hold{};
    }
    return Forward{};
  }
};

}  // namespace

FaultKind lose_response_kind() {
  return make_kind<LoseResponse>({
      .name = "lose_response",
      .summary = "The service does the work, and the caller never gets the answer.",
      .details =
          "On the wire: the request is forwarded untouched and the service's whole response is read and "
          "discarded. "
          "Only when the service has finished the call does the caller get what `then` says: Trailers-Only "
          "UNAVAILABLE, a TCP RST, or silence. Never REFUSED_STREAM and never a GOAWAY below the call's "
          "stream: "
          "those promise that the call was not processed (RFC 9113 §8.7), and this one was. Of a call that "
          "was "
          "under way when the fault came into force, what the caller already got stays; its final status is "
          "lost.\n\n"
          "Peers see: the service, a success. The caller: a failure after which it cannot know whether the "
          "order "
          "went through. A retry without an idempotency key does the work twice.\n\n"
          "When it ends: calls pass as before. What was discarded does not come back: a call caught "
          "half-way, or left "
          "hanging, then ends with UNAVAILABLE.\n\n"
          "Sources: RFC 9113 §8.7; gRFC A6 \"Transparent Retries\"; grpc/grpc doc/statuscodes.md "
          "(UNAVAILABLE).",
      .example =
          R"({ "id": "unheard", "at": "1s", "for": "2s", "on": "storefront->orders", "fault": "lose_response", "with": { "then": "reset" }, "match": { "method": "shop.v1.OrdersService/PlaceOrder", "attempts": 1 } })",
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
