// starve_cpu: alive, and mostly not running.
#include "faults/kinds/make_kind.h"

namespace breakwire::faults {
namespace {

constexpr Duration shortest_period = 20ms;  // each takes two signals to a whole family

class StarveCpu : public ProcessFault {
 public:
  Percent share;
  Duration period = 100ms;

  static const Fields<StarveCpu>& fields() {
    static const auto all =
        Fields<StarveCpu>()
            .required("share", &StarveCpu::share, "The share of each period in which it is stopped.")
            .optional("period", &StarveCpu::period, "One stop and one go, at least 20ms.")
            .rule([](const StarveCpu& starve, const json::Value& object, ErrorList& errors) {
              const auto at = [&](const char* key) {
                const json::Value* given = object.find(key);
                return given ? given->span : object.span;
              };
              if (starve.share.value <= 0) {
                errors.push_back(
                    json::error_at(at("share"), "a share of 0% starves nobody", "such as \"80%\""));
              } else if (starve.share.value >= 100) {
                errors.push_back(json::error_at(at("share"), "with a share of 100% it never runs",
                                                "choose less, or use the fault `pause`"));
              }
              if (starve.period < shortest_period) {
                errors.push_back(json::error_at(at("period"), "a period this short cannot be kept",
                                                "choose at least \"20ms\""));
              }
            });
    return all;
  }

  ProcessAction decide(const ProcessEvent& event, const FaultState&, Rng&) const override {
    if (std::holds_alternative<ProcessCleared>(event)) return ContinueTree{};
    const auto stopped =
        Duration(static_cast<Duration::rep>(static_cast<double>(period.count()) * share.value / 100));
    return Throttle{.stopped = stopped, .running = period - stopped};
  }
};

}  // namespace

FaultKind starve_cpu_kind() {
  return make_kind<StarveCpu>({
      .name = "starve_cpu",
      .summary = "The service is stopped for a share of the time, as if others had its CPU.",
      .details =
          "What happens: SIGSTOP and SIGCONT in turn, to the process and every descendant: in each `period` "
          "it is stopped for `share` of it, first. This is what a container sees whose CPU quota is used up "
          "(CFS throttling runs in periods of 100 ms), or a virtual machine whose host is oversold. A "
          "process that is started again meanwhile is stopped likewise. Of the signals only the first and "
          "the last are in the history.\n\n"
          "Peers see: everything, later and in bursts. The median need not move where calls are short; the "
          "tail grows to about the time it is stopped in one piece. Deadlines and keepalive time-outs that "
          "are shorter than that are missed; its own timers fire late, all at once.\n\n"
          "When it ends: SIGCONT; it is never left stopped, unless another fault wants it so.\n\n"
          "Sources: signal(7); Linux Documentation/scheduler/sched-bwc.rst.",
      .example =
          R"({ "id": "starved", "at": "1s", "for": "3s", "on": "inventory", "fault": "starve_cpu", "with": { "share": "80%" } })",
      .fidelity = "stopped by signals: it cannot run at all in its pauses, not even on an idle machine",
  });
}

}  // namespace breakwire::faults
