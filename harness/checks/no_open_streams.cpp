// no_open_streams: when the load is over, so is the work it caused. Universal.
#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

constexpr Duration grace = 1s;
/// Whoever waits for the grace to pass counts from a moment of its own, a little before LoadEnded is
/// recorded.
constexpr Duration early = 50ms;

class NoOpenStreams : public Check {
 public:
  static const Fields<NoOpenStreams>& fields() {
    static const Fields<NoOpenStreams> none;
    return none;
  }

  CheckResult evaluate(const Question& question) const override {
    const auto& history = question.history;
    CheckResult result;
    result.expected = "no call's stream is open " + to_text(grace) + " after the load is over";
    const auto over = load_over(history);
    if (history.setup().loads.empty()) return skipped(result, "there is no load");
    if (!over) return inconclusive(result, "the load was not over");
    const Instant limit = *over + grace;
    // What ends because breakwire stops the services did not end by itself.
    const Instant watched = std::min({limit, history.last(), question.window.end});
    uint64_t left = 0, undecided = 0, unseen = 0;
    std::string first;
    for (const auto& edge : history.setup().edges) {
      const auto* caller = history.setup().service(edge.from);
      if (edge.control || !edge.grpc || (caller && caller->external)) continue;
      const bool excused = cannot_be_seen(edge, limit, history);
      for (const auto* attempt : question.calls.attempts(edge.id)) {
        if (attempt->received > *over) continue;
        ++result.samples;
        if (attempt->end && attempt->end->received <= watched) continue;
        if (excused) {
          ++unseen;
        } else if (watched + early < limit) {
          ++undecided;
        } else {
          if (++left == 1) {
            first = edge.id.text + " " + attempt->method + ", " + name_of(*attempt) + ", begun at " +
                    moment(attempt->received, question) + (attempt->timeout ? "" : " without a deadline");
          }
          show(result, attempt->event);
        }
      }
    }
    if (result.samples == 0) return skipped(result, "no call was seen on the wire");
    result.actual =
        counted(result.samples, "stream") + ", " +
        (left == 0 ? "none left open" : std::to_string(left) + " left open, first " + first) +
        (unseen > 0 ? "; " + std::to_string(unseen) + " behind a fault that hides their end" : "");
    if (left == 0 && undecided > 0) {
      return inconclusive(result, counted(undecided, "stream") +
                                      " still open when the run ended, less than " + to_text(grace) +
                                      " after the load");
    }
    result.verdict = left == 0 ? Verdict::passed : Verdict::failed;
    return result;
  }

 private:
  /// When the last of the loads was over; nullopt while one is not. A load whose calls never end is over when
  /// the run no longer waits for it: it is settling then.
  static std::optional<Instant> load_over(const history::History& history) {
    std::optional<Instant> over;
    int running = 0;
    for (const auto& event : history.events()) {
      const auto* phase = std::get_if<history::PhaseBegan>(&event.what);
      if (phase && phase->phase == history::Phase::settling) return event.at;
      if (std::holds_alternative<history::LoadBegan>(event.what)) ++running;
      if (!std::holds_alternative<history::LoadEnded>(event.what)) continue;
      --running;
      over = std::max(over.value_or(event.at), event.at);
    }
    return running > 0 ? std::nullopt : over;
  }

  /// A caller can end its call through any call fault, and the relay sees it. It does not while a transport
  /// fault keeps the edge's bytes away, or while the caller is frozen.
  static bool cannot_be_seen(const history::EdgeSetup& edge, Instant limit, const history::History& history) {
    for (const auto& fault : history.setup().faults) {
      const bool on_edge = !fault.process && !fault.call && !fault.instant && fault.on == edge.id.text;
      const bool on_caller = fault.kind == "pause" && fault.on == edge.from.text;
      if (!on_edge && !on_caller) continue;
      const auto span = history::span_of(fault.id, history);
      const bool in_force = span.first_hit && (!span.cleared || *span.cleared > limit - grace);
      if (in_force) return true;
    }
    return false;
  }
};

}  // namespace

CheckKind no_open_streams_kind() {
  return make_kind<NoOpenStreams>({
      .name = "no_open_streams",
      .summary = "No call's stream is left open 1 s after the load is over.",
      .details =
          "Judges every call on every gRPC edge (breakwire's own and those dialled by external services "
          "excepted) that began before the last load was over: 1 s later its stream has ended, by "
          "trailers, a reset, or with its connection. A stream left open is work nobody waits for: a "
          "deadline or a cancellation that was not passed on. A call fault that holds a call is no excuse, "
          "since its caller can reset it and the relay sees that; a transport fault still in force on that "
          "edge and a frozen caller are. When there is no load, or no call on the wire, the check is "
          "`skipped`.",
      .example = R"({ "check": "no_open_streams" })",
      .universal = true,
  });
}

}  // namespace breakwire::checks
