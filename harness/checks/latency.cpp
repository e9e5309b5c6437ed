// latency: how long the load's calls took.
#include <algorithm>

#include "harness/checks/make_kind.h"
#include "harness/checks/percentile.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

class Latency : public Check {
 public:
  std::optional<LoadId> load;
  std::vector<StatusCode> status{StatusCode::ok};
  std::optional<Duration> p50, p90, p95, p99, max;

  static const Fields<Latency>& fields() {
    static const auto all =
        Fields<Latency>()
            .optional("load", &Latency::load, "Calls of this load; left out: of all loads.")
            .optional("status", &Latency::status, "Only calls that ended with one of these codes count.")
            .optional("p50", &Latency::p50, "Half of the calls took no longer.")
            .optional("p90", &Latency::p90, "90% of the calls took no longer.")
            .optional("p95", &Latency::p95, "95% of the calls took no longer.")
            .optional("p99", &Latency::p99, "99% of the calls took no longer.")
            .optional("max", &Latency::max, "No call took longer.")
            .rule([](const Latency& check, const json::Value& object, ErrorList& errors) {
              if (!check.bounds().empty()) return;
              errors.push_back(json::error_at(object.span, "`latency` sets no bound",
                                              "give at least one of `p50`, `p90`, `p95`, `p99` and `max`"));
            });
    return all;
  }
  std::vector<Reference> references() const override { return reference(load); }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    std::vector<std::string> expected, actual;
    for (const auto& bound : bounds()) expected.push_back(bound.name + " ≤ " + to_text(bound.limit));
    result.expected = sentence(expected) + " over calls that end with " + any_of(status);

    std::vector<Sample> samples;
    uint64_t others = 0, open = 0;
    for (const auto* call : calls_in(load, question)) {
      if (!call->done) {
        ++open;
      } else if (std::find(status.begin(), status.end(), call->done->status) == status.end()) {
        ++others;
      } else {
        samples.push_back({call->done_at - call->issued->intended, call});
      }
    }
    result.samples = samples.size();
    if (samples.empty()) return inconclusive(result, "no call ended with " + any_of(status));
    std::stable_sort(samples.begin(), samples.end(),
                     [](const Sample& a, const Sample& b) { return a.took < b.took; });
    result.verdict = Verdict::passed;
    std::optional<Duration> least_broken;
    for (const auto& bound : bounds()) {
      const Duration took = samples[nearest_rank(samples.size(), bound.share)].took;
      const bool broken = took > bound.limit;
      actual.push_back(bound.name + " " + brief(took) + (broken ? " (too slow)" : ""));
      if (!broken) continue;
      result.verdict = Verdict::failed;
      least_broken = std::min(least_broken.value_or(bound.limit), bound.limit);
    }
    const Sample& worst = samples.back();
    actual.push_back("slowest " + name_of(*worst.call) + " with " + brief(worst.took) + " at " +
                     moment(worst.call->issued_at, question));
    if (others > 0) actual.push_back(counted(others, "call") + " ended otherwise and do not count");
    if (open > 0) actual.push_back(counted(open, "call") + " never ended");
    result.actual = sentence(actual);
    for (auto sample = samples.rbegin(); least_broken && sample != samples.rend(); ++sample) {
      if (sample->took > *least_broken) show(result, sample->call->done_event);
    }
    return result;
  }

 private:
  struct Bound {
    std::string name;
    double share = 1;
    Duration limit{};
  };
  struct Sample {
    Duration took{};
    const history::Calls::LoadCall* call = nullptr;
  };
  std::vector<Bound> bounds() const {
    std::vector<Bound> all;
    const auto add = [&](const char* name, double share, const std::optional<Duration>& limit) {
      if (limit) all.push_back({name, share, *limit});
    };
    add("p50", 0.50, p50);
    add("p90", 0.90, p90);
    add("p95", 0.95, p95);
    add("p99", 0.99, p99);
    add("max", 1, max);
    return all;
  }
};

}  // namespace

CheckKind latency_kind() {
  return make_kind<Latency>({
      .name = "latency",
      .summary = "The load's calls are answered fast enough.",
      .details =
          "Judges calls issued in the window that ended with one of `status`. A call's latency counts from "
          "the moment the load meant to issue it to the moment the client's library reported its status, "
          "so a client that falls behind counts against the service and not for it (no coordinated "
          "omission); of a load that is a command, between the two moments at which the call and its answer "
          "passed the relay. Percentiles are nearest-rank: with few calls p99 is the slowest one, so set "
          "`min_samples`.",
      .example =
          R"({ "check": "latency", "load": "browsers", "during": "slow", "p99": "100ms", "max": "250ms", "min_samples": 100 })",
  });
}

}  // namespace breakwire::checks
