// goaway: the caller is told to go elsewhere. Why it may have a length: docs/decisions/0002.
#include "faults/kinds/make_kind.h"

template <>
struct breakwire::EnumNames<breakwire::faults::SendGoaway::Last> {
  using E = faults::SendGoaway::Last;
  static std::string type() { return "choice of last stream"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"none_refused", E::none_refused},
                                                            {"forwarded", E::forwarded}};
    return all;
  }
};

template <>
struct breakwire::EnumNames<breakwire::faults::SendGoaway::Then> {
  using E = faults::SendGoaway::Then;
  static std::string type() { return "way to go on after a GOAWAY"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{
        {"drain", E::drain}, {"close", E::close}, {"stay", E::stay}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

// The smallest MAX_FRAME_SIZE there can be, less the two numbers of a GOAWAY (RFC 9113 §6.5.2, §6.8).
constexpr size_t most_debug = 16'384 - 8;

class Goaway : public TransportFault {
 public:
  Http2Error code = Http2Error::no_error;
  std::string debug;
  SendGoaway::Last last = SendGoaway::Last::none_refused;
  SendGoaway::Then then = SendGoaway::Then::drain;

  static const Fields<Goaway>& fields() {
    static const auto all =
        Fields<Goaway>()
            .optional(
                "code", &Goaway::code,
                "The error code. ENHANCE_YOUR_CALM with `debug` \"too_many_pings\" makes a gRPC client ping "
                "less often.")
            .optional("debug", &Goaway::debug, "The debug data, such as \"max_age\"; at most 16376 bytes.")
            .optional(
                "last", &Goaway::last,
                "`none_refused`: in two steps, GOAWAY with 2^31-1 and NO_ERROR and a PING, and, once the "
                "caller has answered that (or after 5 s), GOAWAY with the last call that has arrived until "
                "then. `forwarded`: at once the last call of which something has reached the service; "
                "calls that the caller has just sent are refused.")
            .optional("then", &Goaway::then,
                      "After the last GOAWAY, `drain`: FIN when the last call is over. `close`: FIN at once, "
                      "under the calls that are under way. `stay`: the connection is left as it is.")
            .rule([](const Goaway& goaway, const json::Value& object, ErrorList& errors) {
              if (goaway.debug.size() <= most_debug) return;
              errors.push_back(json::error_at(object.find("debug")->span,
                                              "`debug` is longer than a GOAWAY frame that every peer accepts",
                                              "say it in at most 16376 bytes"));
            });
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ConnectionFound>(event) || std::holds_alternative<ConnectionOffered>(event))
      return SendGoaway{.code = code, .debug = debug, .last = last, .then = then};
    return Forward{};
  }
};

}  // namespace

FaultKind goaway_kind() {
  return make_kind<Goaway>({
      .name = "goaway",
      .summary = "Callers are told by GOAWAY to use another connection, as by a server that shuts down.",
      .details =
          "On the wire: a GOAWAY to the caller with `code`, `debug` and a last stream id; what follows is up "
          "to "
          "`then`. The service hears nothing of it until the connection is closed. Without `for` it happens "
          "at "
          "one moment, on every HTTP/2 connection that is open then. With `for`, new connections get it as "
          "well, "
          "as soon as the service has sent its SETTINGS, until it ends; `match.connections` restricts it to "
          "`existing` or `new` ones. The last stream id is never below a call of which anything has reached "
          "the "
          "service, so \"not processed\" is always true; calls above it are read and dropped, and are told "
          "as "
          "refused by GOAWAY. The ACK of the PING in the two-step way is not passed on to the service.\n\n"
          "Peers see: the caller opens a new connection for new calls; those under way go on (`drain`, "
          "`stay`) or "
          "fail with UNAVAILABLE (`close`). With `none_refused` no call that has left the caller is lost; "
          "what a library hands to the old connection in that very moment gRPC repeats by itself, unless its "
          "retries are off: then UNAVAILABLE. With `forwarded`, calls "
          "that "
          "were on their way are repeated by gRPC on its own, once, for they were not processed (a "
          "transparent "
          "retry, gRFC A6); a client that cannot do that reports UNAVAILABLE. With `drain` and `close` the "
          "service "
          "sees the connection close.\n\n"
          "When it ends: new connections are left alone. What was said cannot be taken back: a drain that "
          "has "
          "begun goes on.\n\n"
          "Sources: RFC 9113 §6.8, §8.7; gRFC A6, A8, A9; grpc/grpc doc/PROTOCOL-HTTP2.md \"GOAWAY Frame\".",
      .example =
          R"({ "id": "max-age", "at": "2s", "on": "storefront->orders", "fault": "goaway", "with": { "debug": "max_age", "last": "forwarded" } })",
      .lifetime = Lifetime::optional_span,
      .matches_by = {"connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
