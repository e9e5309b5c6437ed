// freeze_window: flow control's windows are not opened again.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
enum class Windows { both, connection, streams };
}

template <>
struct breakwire::EnumNames<breakwire::faults::Windows> {
  using E = faults::Windows;
  static std::string type() { return "choice of windows"; }
  static const std::vector<std::pair<std::string, E>>& names() {
    static const std::vector<std::pair<std::string, E>> all{
        {"both", E::both}, {"connection", E::connection}, {"streams", E::streams}};
    return all;
  }
};

namespace breakwire::faults {
namespace {

class FreezeWindow : public TransportFault {
 public:
  Windows windows = Windows::both;

  static const Fields<FreezeWindow>& fields() {
    static const auto all =
        Fields<FreezeWindow>().optional("windows", &FreezeWindow::windows,
                                        "`connection`: the window that all calls share. `streams`: those of "
                                        "the calls, each its own. `both`.");
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    const auto* control = std::get_if<ControlReached>(&event);
    if (!control || control->frame != ControlFrame::window_update) return Forward{};
    if (windows != Windows::both && (windows == Windows::connection) != (control->stream == 0))
      return Forward{};
    return Hold{};
  }
};

}  // namespace

FaultKind freeze_window_kind() {
  return make_kind<FreezeWindow>({
      .name = "freeze_window",
      .summary = "Flow-control windows are not opened any more: senders stop when theirs is used up.",
      .details =
          "On the wire: WINDOW_UPDATE frames are kept back. What the sender may still send arrives: of a "
          "window "
          "that was never opened, 65,535 bytes. `match.direction` is the way the WINDOW_UPDATEs travel: with "
          "`response` the caller runs out while it sends requests, with `request` the service while it "
          "answers. "
          "SETTINGS pass, also when they change the initial window of streams. What the relay itself owes to "
          "a "
          "sender, for DATA that another fault took out of a call, it goes on paying.\n\n"
          "Peers see: a receiver that does not read. Headers, trailers, PINGs and small messages of new "
          "calls "
          "pass for as long as there is window, so keepalive stays green; a write blocks, and a call with a "
          "deadline ends with DEADLINE_EXCEEDED and RST_STREAM(CANCEL). With the connection's window used "
          "up, "
          "one large transfer stops all calls on the connection; with the streams' windows only, each call "
          "by "
          "itself.\n\n"
          "When it ends: all that was kept back is given at once, as one increment for each window, and "
          "senders "
          "go on where they had stopped. Nothing is lost.\n\n"
          "Sources: RFC 9113 §5.2, §6.9; grpc.io \"Flow control\".",
      .example =
          R"({ "id": "unread", "at": "1s", "for": "2s", "on": "orders->inventory", "fault": "freeze_window", "with": { "windows": "connection" }, "match": { "direction": "response" } })",
      .matches_by = {"direction", "connections"},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
