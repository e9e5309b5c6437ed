// close: FIN, at one moment, for a while, or once a connection has lived or carried so much.
#include <algorithm>

#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

class Close : public TransportFault {
 public:
  std::optional<Duration> delay;
  std::optional<ByteSize> bytes;

  static const Fields<Close>& fields() {
    static const auto all =
        Fields<Close>()
            .optional("delay", &Close::delay,
                      "Each connection is closed so long after it was accepted, or after the fault came into "
                      "force if it is older. Needs a longer `for`.")
            .optional("bytes", &Close::bytes,
                      "Each connection is closed once so many bytes have gone through it in one direction "
                      "since it was accepted, or since the fault came into force: exactly so many are "
                      "delivered. `match.direction` says in which; left out, in either. Needs a `for`.")
            .rule([](const Close& close, const json::Value& object, ErrorList& errors) {
              if (!close.delay || !close.bytes) return;
              errors.push_back(json::error_at(object.find("bytes")->span,
                                              "`close` counts time or bytes, not both",
                                              "remove one of `delay` and `bytes`"));
            });
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (const auto* chunk = std::get_if<BytesReady>(&event)) {
      if (!bytes || chunk->count == 0 || chunk->passed + chunk->count < bytes->bytes) return Forward{};
      return CloseConnection{.let_through = bytes->bytes - std::min(chunk->passed, bytes->bytes)};
    }
    const bool here =
        std::holds_alternative<ConnectionFound>(event) || std::holds_alternative<ConnectionOffered>(event);
    if (!here || bytes) return Forward{};
    return CloseConnection{.after = delay.value_or(Duration{})};
  }

  void check(const EntryParts& entry, ErrorList& errors) const {
    const char* counts = delay ? "delay" : "bytes";
    if ((delay || bytes) && !entry.length) {
      errors.push_back(json::error_at(
          entry.with.find(counts)->span,
          "without `for`, `close` acts at one moment, and `" + std::string(counts) + "` needs time to pass",
          "say for how long it is in force: \"for\": \"2s\""));
    } else if (delay && *delay >= *entry.length) {
      errors.push_back(json::error_at(entry.with.find("delay")->span,
                                      "the fault is over before this `delay` is",
                                      "choose a `delay` shorter than its `for`, " + to_text(*entry.length)));
    }
    if (entry.match.direction && !bytes) {
      errors.push_back(json::error_at(entry.written_match.find("direction")->span,
                                      "`close` ends both directions; `direction` says which `bytes` count",
                                      "remove it, or add `bytes` in `with`"));
    }
  }
};

}  // namespace

FaultKind close_kind() {
  return make_kind<Close>({
      .name = "close",
      .summary = "Connections are closed in good order, by a FIN to both peers.",
      .details =
          "On the wire: what was forwarded so far is delivered, then FIN; no GOAWAY announces it. Without "
          "`for` it happens at one moment, to every connection that is open then. With `for`, new "
          "connections are closed as well, right after they were accepted and before anything was dialled, "
          "until it ends; `match.connections` restricts it to `existing` or `new` ones. With `delay` each "
          "connection is used for that long first, with `bytes` until so many bytes have gone through it, "
          "which may cut a frame or a message in two.\n\n"
          "Peers see: end of file. This is what an idle time-out or a restart of a load balancer, or the "
          "end of a process, looks like. Calls under way on an HTTP/2 connection fail with UNAVAILABLE, and "
          "their handlers are cancelled; whether one had been processed cannot be known from it, so gRPC "
          "retries it only under a retry policy. A database driver reports that the server closed the "
          "connection unexpectedly. The client reconnects.\n\n"
          "When it ends: connections are accepted as usual; those whose `delay` or `bytes` have not been "
          "reached live on.\n\n"
          "Sources: RFC 9293 §3.6; RFC 9113 §5.4.1, §9.1; gRFC A6.",
      .example =
          R"({ "id": "recycled", "at": "1s", "for": "3s", "on": "orders->inventory", "fault": "close", "with": { "delay": "500ms" }, "match": { "connections": "new" } })",
      .lifetime = Lifetime::optional_span,
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
