// mute_ping: PINGs, their ACKs, or both do not reach the other peer.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class Pings { both, pings, acks };
}

template <>
struct breakwire::EnumNames<breakwire::faults::Pings> {
  using E = faults::Pings;
  static std::string type() { return "choice of PINGs"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{
        {"both", E::both}, {"pings", E::pings}, {"acks", E::acks}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class MutePing : public TransportFault {
 public:
  Pings mute = Pings::both;
  bool late = false;

  static const Fields<MutePing>& fields() {
    static const auto all =
        Fields<MutePing>()
            .optional(
                "mute", &MutePing::mute,
                "`pings`: the PINGs themselves. `acks`: only the answers to them, so that the side that "
                "was pinged has no idea. `both`: neither arrives.")
            .optional("late", &MutePing::late,
                      "`true`: what was kept back arrives when the fault ends, in order. Else it is lost.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* control = std::get_if<ControlReached>(&event);
    if (!control) return Forward{};
    const bool ping = control->frame == ControlFrame::ping && mute != Pings::acks;
    const bool ack = control->frame == ControlFrame::ping_ack && mute != Pings::pings;
    if (!ping && !ack) return Forward{};
    if (late) return Hold{};
    return Swallow{};
  }
};

}  // namespace

FaultKind mute_ping_kind() {
  return make_kind<MutePing>({
      .name = "mute_ping",
      .summary = "HTTP/2 PINGs, or the ACKs of them, do not arrive, while everything else does.",
      .details =
          "On the wire: PING frames, PING frames with the ACK flag, or both are taken out of the connection; "
          "`match.direction` is the way those frames travel: `request` are the caller's PINGs and its ACKs "
          "of "
          "the service's. Every other frame passes, in time.\n\n"
          "Peers see: a PING that is never answered, on a connection that works. A caller with keepalive "
          "ends "
          "the connection after its time-out, although answers arrive on it: UNAVAILABLE (\"keepalive "
          "watchdog "
          "timeout\"), and all calls on it with it; one without keepalive notices nothing. A service with "
          "keepalive does the same to its callers. C-core and Go also measure by PINGs how much is under "
          "way, "
          "and do not enlarge their windows without answers. A service that is shutting down says GOAWAY "
          "with "
          "2^31-1, and its last stream id only once its PING was answered: without `acks` of the direction "
          "`request` it stays in the first half of its drain, accepting calls, until it gives up waiting "
          "(C-core after 20 s, or with its grace; Go after 5 s).\n\n"
          "When it ends: PINGs and ACKs pass as before. Those that were lost stay unanswered, as RFC 9113 "
          "knows "
          "no repetition; with `late` they arrive now.\n\n"
          "Sources: RFC 9113 §6.7, §6.8; gRFC A8, A9; grpc/grpc doc/keepalive.md.",
      .example =
          R"({ "id": "deaf", "at": "1s", "for": "3s", "on": "storefront->orders", "fault": "mute_ping", "with": { "mute": "acks" }, "match": { "direction": "request" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
