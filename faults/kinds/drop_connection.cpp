// drop_connection: the connection is cut under a call, at a stage of that call.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class Cut { reset, close };
}

template <>
struct breakwire::EnumNames<breakwire::faults::Cut> {
  using E = faults::Cut;
  static std::string type() { return "way to drop a connection"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"reset", E::reset}, {"close", E::close}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class DropConnection : public CallFault {
 public:
  Cut by = Cut::reset;

  static const Fields<DropConnection>& fields() {
    static const auto all = Fields<DropConnection>().optional(
        "by", &DropConnection::by,
        "`reset`: a TCP RST, what is still on its way is lost. `close`: FIN after what was forwarded.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (!std::holds_alternative<CallReached>(event)) return Forward{};
    if (by == Cut::close) return CloseConnection{};
    return ResetConnection{};
  }
};

}  // namespace

FaultKind drop_connection_kind() {
  return make_kind<DropConnection>({
      .name = "drop_connection",
      .summary = "The connection is cut when a call on it reaches a stage, to both peers.",
      .details =
          "On the wire: what made the call reach `match.stage` is not forwarded, what came before it was; "
          "then RST or FIN, without GOAWAY. At `headers` the service never hears of the call; at "
          "`request_end` it has the request's messages but not their end; at the `response_…` stages it has "
          "answered, and the caller does not get it. The call's connection goes with all the other calls "
          "that are under way on it, whatever `match` says of them.\n\n"
          "Peers see: all those calls fail with UNAVAILABLE (\"Connection reset by peer\" or \"Socket "
          "closed\"), the handlers that still run are cancelled. Whether a call was processed cannot be "
          "known from it; gRPC retries it under a retry policy only, and not once response headers were "
          "received. The client reconnects, and a retry reaches this fault again: match `attempts` or "
          "`calls` to let it through.\n\n"
          "When it ends: calls pass as before.\n\n"
          "Sources: RFC 9293 §3.5.3, §3.6; RFC 9113 §5.4.1; gRFC A6.",
      .example =
          R"({ "id": "cut-under-it", "at": "1s", "for": "2s", "on": "storefront->orders", "fault": "drop_connection", "with": { "by": "close" }, "match": { "method": "shop.v1.OrdersService/PlaceOrder", "attempts": 1, "calls": { "every": 5 }, "stage": "response_headers" } })",
      .stages = {Stage::headers, Stage::request_message, Stage::request_end, Stage::response_headers,
                 Stage::response_message, Stage::response_end},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
