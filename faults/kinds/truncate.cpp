// truncate: a stream of bytes that ends in the middle.
#include <algorithm>

#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class AfterCut { stay, close, reset };
}

template <>
struct breakwire::EnumNames<breakwire::faults::AfterCut> {
  using E = faults::AfterCut;
  static std::string type() { return "ending"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{
        {"stay", E::stay}, {"close", E::close}, {"reset", E::reset}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class Truncate : public TransportFault {
 public:
  ByteSize bytes;
  AfterCut then = AfterCut::stay;

  static const Fields<Truncate>& fields() {
    static const auto all =
        Fields<Truncate>()
            .required(
                "bytes", &Truncate::bytes,
                "So many bytes of a direction are delivered, counted since the connection was accepted, or "
                "since the fault came into force; nothing behind them is.")
            .optional("then", &Truncate::then,
                      "What becomes of the connection once so many have come: it may `stay`, silent in that "
                      "direction; `close` ends it by FIN, `reset` by RST, to both peers.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* chunk = std::get_if<BytesReady>(&event);
    if (!chunk || chunk->count == 0) return Forward{};
    const uint64_t until = chunk->passed + chunk->count;
    // Staying, it needs a byte to drop; else the end comes with the last byte, and waits for no other.
    if (until < bytes.bytes || (until == bytes.bytes && then == AfterCut::stay)) return Forward{};
    const size_t let_through = bytes.bytes - std::min(chunk->passed, bytes.bytes);
    switch (then) {
      case AfterCut::stay:
        return Swallow{.let_through = let_through};
      case AfterCut::close:
        return CloseConnection{.after = {}, .let_through = let_through};
      case AfterCut::reset:
        return ResetConnection{.let_through = let_through};
    }
    return Forward{};
  }
};

}  // namespace

FaultKind truncate_kind() {
  return make_kind<Truncate>({
      .name = "truncate",
      .summary = "A stream of bytes is cut off in the middle: so many arrive, and none behind them.",
      .details =
          "On the wire: exactly `bytes` of a direction are delivered, wherever in a frame or message that "
          "is; "
          "HTTP/2's preface and frame headers count. What follows is read from the sender, acknowledged to "
          "it "
          "and thrown away, control frames included. With `then` as `stay` the connection lives on, the "
          "other "
          "direction undisturbed, and a peer's own FIN or RST still reaches the other; with `close` both get "
          "a "
          "FIN behind the last byte, with `reset` a RST (of the bytes before it, those arrive that the peer "
          "has "
          "room for). Each direction is cut for itself, unless `match.direction` names one.\n\n"
          "Peers see: half a message. Who stays waits for the rest: a call ends by its deadline, a PING "
          "stays "
          "unanswered, and keepalive ends the connection (gRFC A8). Nothing that was swallowed gives the "
          "sender "
          "its flow-control windows back. After `close` or `reset`, calls fail with UNAVAILABLE; gRPC reads "
          "a "
          "message that a closed connection cut off never as a shorter one.\n\n"
          "When it ends: connections that were not cut are as before. One that was stays cut until a peer "
          "ends "
          "it, for a stream of bytes has no holes; nothing more is delivered in that direction.\n\n"
          "Sources: RFC 9293 §3.4 (a stream is a sequence without gaps), §3.6; RFC 9113 §4.1, §5.2; gRFC A8.",
      .example =
          R"({ "id": "cut", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "truncate", "with": { "bytes": "1000B", "then": "reset" }, "match": { "direction": "response" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
