// accept_hang: the port answers, and then nothing.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class AfterHang { stay, close };
}

template <>
struct breakwire::EnumNames<breakwire::faults::AfterHang> {
  using E = faults::AfterHang;
  static std::string type() { return "ending"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{{"stay", E::stay}, {"close", E::close}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class AcceptHang : public TransportFault {
 public:
  AfterHang then = AfterHang::stay;

  static const Fields<AcceptHang>& fields() {
    static const auto all = Fields<AcceptHang>().optional(
        "then", &AcceptHang::then,
        "What becomes of the silent connections when the fault ends: `stay` silent "
        "as long as the peer stays, or `close` with FIN.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ConnectionOffered>(event)) return Mute{then == AfterHang::close};
    return Forward{};
  }
};

}  // namespace

FaultKind accept_hang_kind() {
  return make_kind<AcceptHang>({
      .name = "accept_hang",
      .summary = "New connections are accepted and never answered.",
      .details =
          "On the wire: the TCP handshake completes, then nothing is read, written or dialled: no SETTINGS, "
          "no "
          "bytes. Connections that existed before are not touched. This is a service whose port is open and "
          "whose "
          "accept loop is stuck; a TCP health check calls it healthy.\n\n"
          "Peers see: a connection that never becomes ready. A gRPC client stays in CONNECTING until its "
          "connect "
          "time-out (20 s by default: MIN_CONNECT_TIMEOUT), so calls end by their deadline, or fail with "
          "UNAVAILABLE when the attempt times out; a database driver without a connect time-out hangs.\n\n"
          "When it ends: new connections work. Those that were accepted during the fault stay silent, or are "
          "closed when `then` says so.\n\n"
          "Sources: RFC 9113 §3.4; grpc/grpc doc/connection-backoff.md.",
      .example =
          R"({ "id": "deaf", "at": "1s", "for": "2s", "on": "inventory->db", "fault": "accept_hang", "with": { "then": "close" } })",
      .connections = Connections::fresh,
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
