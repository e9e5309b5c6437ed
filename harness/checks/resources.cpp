// resources: a service gives back what it took.
#include <algorithm>

#include "harness/checks/make_kind.h"
#include "harness/checks/wording.h"

namespace breakwire::checks {
namespace {

using Seen = history::ResourcesSeen;

constexpr Duration last_stretch = 1s;  // the level at the end is that of at most so long

struct Sample {
  const Seen* seen;
  EventNumber event;
  Instant at;
};

/// What must not be exceeded, above the baseline; nullopt: not judged.
struct Peak {
  std::optional<uint64_t> threads, descriptors;
  std::optional<ByteSize> memory;
  static const Fields<Peak>& fields() {
    static const auto all =
        Fields<Peak>()
            .optional("threads", &Peak::threads, "So many threads more than in the baseline.")
            .optional("descriptors", &Peak::descriptors, "So many descriptors more than in the baseline.")
            .optional("memory", &Peak::memory, "So much resident memory more than in the baseline.");
    return all;
  }
};

/// One of the three things.
struct Kind {
  std::string name;
  uint64_t Seen::*amount;
  uint64_t allowed;  // above the baseline
};

std::string shown(const Kind& kind, uint64_t amount) {
  if (kind.amount != &Seen::resident_bytes) return std::to_string(amount) + " " + kind.name;
  return std::to_string((amount + (1U << 19)) >> 20) + " MiB " + kind.name;
}

/// "17 threads, 30 descriptors, 25 MiB memory": each the most of any sample.
uint64_t most(const std::vector<Sample>& samples, uint64_t Seen::*amount) {
  uint64_t most = 0;
  for (const Sample& sample : samples) most = std::max(most, sample.seen->*amount);
  return most;
}

uint64_t median(const std::vector<Sample>& samples, uint64_t Seen::*amount) {
  std::vector<uint64_t> values;
  for (const Sample& sample : samples) values.push_back(sample.seen->*amount);
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

class Resources : public Check {
 public:
  ServiceId service;
  std::optional<Duration> within;
  uint64_t threads = 5, descriptors = 5;
  std::optional<ByteSize> memory;
  std::optional<Peak> peak;

  static const Fields<Resources>& fields() {
    static const auto all =
        Fields<Resources>()
            .required("service", &Resources::service, "The service that gives back what it took.")
            .optional(
                "within", &Resources::within,
                "So soon after the window's begin it holds what it held before, and at the window's end it "
                "still does.")
            .optional("threads", &Resources::threads, "So many threads more than in the baseline are none.")
            .optional("descriptors", &Resources::descriptors,
                      "So many descriptors more than in the baseline are none.")
            .optional("memory", &Resources::memory,
                      "So much resident memory more than in the baseline is none; left out: 16MiB or 10% of "
                      "the baseline's, whichever is more.")
            .optional("peak", &Resources::peak,
                      "What it may hold more than in the baseline at any time of the window.")
            .rule([](const Resources& check, const json::Value& object, ErrorList& errors) {
              const bool bounded =
                  check.peak && (check.peak->threads || check.peak->descriptors || check.peak->memory);
              if (check.within || bounded) return;
              errors.push_back(json::error_at(object.span, "`resources` says nothing about the service",
                                              "give `within`, or bounds in `peak`"));
            });
    return all;
  }
  std::vector<Reference> references() const override {
    return {{Reference::To::service, service.text, "service"}};
  }
  Duration needs() const override { return within ? *within + last_stretch : Duration::zero(); }
  std::vector<Wish> wishes() const override { return {ResourceWish{service}}; }

  CheckResult evaluate(const Question& question) const override {
    CheckResult result;
    const auto& window = question.window;
    const Instant baseline_end = end_of_baseline(question.history);
    std::vector<Sample> before, inside, last;
    const Instant stretch =
        std::max(window.begin + within.value_or(Duration::zero()), window.end - last_stretch);
    history::each<Seen>(question.history, [&](const auto& event, const Seen& seen) {
      if (seen.service != service) return;
      const Sample sample{&seen, event.number, event.at};
      if (question.history.zero() <= event.at && event.at < baseline_end) before.push_back(sample);
      if (window.contains(event.at)) inside.push_back(sample);
      if (stretch <= event.at && event.at < window.end) last.push_back(sample);
    });
    const auto* setup = question.history.setup().service(service);
    if (setup && setup->external)
      return inconclusive(result, service.text + " was not started by breakwire: its process is not known");
    result.expected = expectation();
    if (before.size() < 2)
      return inconclusive(result, before.empty() ? "nothing was seen of " + service.text +
                                                       " between t = 0 and the first fault: no baseline"
                                                 : "only 1 sample of " + service.text +
                                                       " between t = 0 and the first fault: no baseline");
    std::vector<std::string> told, wrong;
    for (const Kind& kind : peaks()) {
      if (inside.empty()) return inconclusive(result, unseen("in the window"));
      judge("at its peak", kind, before, most(inside, kind.amount), inside, question, result, told, wrong);
    }
    std::string unproved;
    if (within && window.end <= window.begin + *within) {
      unproved = "the window closed before " + to_text(*within) + " were over";
    } else if (within && last.empty()) {
      unproved = unseen("at the window's end");
    } else if (within) {
      for (const Kind& kind : returns(before))
        judge("at the end", kind, before, median(last, kind.amount), last, question, result, told, wrong);
    }
    result.samples = (peak ? inside : last).size();
    result.actual = sentence(told);
    if (!wrong.empty()) {
      result.actual += "; " + sentence(wrong);
      return failed(std::move(result));
    }
    if (!unproved.empty()) return inconclusive(std::move(result), unproved);
    result.verdict = Verdict::passed;
    return result;
  }

 private:
  /// The first fault's begin; without one, the end of the baseline phase.
  static Instant end_of_baseline(const history::History& history) {
    std::optional<Instant> armed, main;
    history::each<history::FaultArmed>(history, [&](const auto& event, const auto&) {
      armed = std::min(armed.value_or(event.at), event.at);
    });
    history::each<history::PhaseBegan>(history, [&](const auto& event, const history::PhaseBegan& began) {
      if (began.phase == history::Phase::main && !main) main = event.at;
    });
    return armed ? *armed : main.value_or(history.zero());
  }

  std::string unseen(const std::string& when) const {
    return "nothing was seen of " + service.text + " " + when + ": it did not run then";
  }

  std::vector<Kind> peaks() const {
    std::vector<Kind> kinds;
    if (peak && peak->threads) kinds.push_back({"threads", &Seen::threads, *peak->threads});
    if (peak && peak->descriptors) kinds.push_back({"descriptors", &Seen::descriptors, *peak->descriptors});
    if (peak && peak->memory) kinds.push_back({"memory", &Seen::resident_bytes, peak->memory->bytes});
    return kinds;
  }
  std::vector<Kind> returns(const std::vector<Sample>& before) const {
    const uint64_t tolerated =
        memory ? memory->bytes : std::max<uint64_t>(16U << 20, most(before, &Seen::resident_bytes) / 10);
    return {{"threads", &Seen::threads, threads},
            {"descriptors", &Seen::descriptors, descriptors},
            {"memory", &Seen::resident_bytes, tolerated}};
  }

  /// "17 threads at the end, 12 before"; when that is too much, shows the last samples over the bound.
  void judge(const std::string& when, const Kind& kind, const std::vector<Sample>& before, uint64_t level,
             const std::vector<Sample>& samples, const Question& question, CheckResult& result,
             std::vector<std::string>& told, std::vector<std::string>& wrong) const {
    const uint64_t had = most(before, kind.amount);
    told.push_back(shown(kind, level) + " " + when + ", " + shown({"", kind.amount, 0}, had) + "before");
    if (level <= had + kind.allowed) return;
    const auto highest = std::max_element(samples.begin(), samples.end(), [&](const auto& a, const auto& b) {
      return a.seen->*kind.amount < b.seen->*kind.amount;
    });
    wrong.push_back(shown(kind, level - had) + " too many: only " +
                    shown({"", kind.amount, 0}, kind.allowed) + "more are tolerated, most at " +
                    moment(highest->at, question));
    show(result, highest->event);
    show(result, samples.back().event);
  }

  std::string expectation() const {
    std::vector<std::string> parts;
    if (peak) {
      std::string bounds;
      for (const Kind& kind : peaks()) bounds += (bounds.empty() ? "" : ", ") + shown(kind, kind.allowed);
      parts.push_back(service.text + " never holds more than its baseline and " + bounds);
    }
    if (within)
      parts.push_back(service.text + " holds after " + to_text(*within) +
                      " and at the end what it held before: " + "threads +" + std::to_string(threads) +
                      ", descriptors +" + std::to_string(descriptors) + ", memory +" +
                      (memory ? Codec<ByteSize>::show(*memory) : "16MiB or 10%"));
    return sentence(parts);
  }
};

}  // namespace

CheckKind resources_kind() {
  return make_kind<Resources>({
      .name = "resources",
      .summary = "A service does not pile up threads, descriptors or memory, and gives back what it took.",
      .details =
          "Compares what the service's process and all its descendants hold together, looked up in /proc "
          "about "
          "every 50 ms, with the baseline: the most of each that was seen between t = 0 and the first fault. "
          "(A "
          "service that is not warm by then takes more later: let the baseline be long enough.)\n\n"
          "With `within`, it must have given back what it took: the middle one of the samples of the "
          "window's "
          "last second, none of them earlier than `within` after its begin, must not exceed the baseline by "
          "more "
          "than `threads`, `descriptors` and `memory`. The middle one, because a pool may just be growing or "
          "shrinking; the tolerances, because a library keeps a thread, a connection or freed memory for "
          "later (a pool that grows to its bound and no further: give it the room). What leaks piles up with "
          "the calls, far over them: let there be enough calls. The run goes on "
          "until "
          "`within` and 1 s more are over.\n\n"
          "With `peak`, no sample of the window may exceed the baseline by more: a dependency that hangs "
          "costs "
          "what its callers' deadlines allow, rate times deadline calls at once, and not more with time. "
          "Memory "
          "is VmRSS; what several processes share is counted in each, so PostgreSQL seems larger than it is. "
          "A process that was started again is compared with the baseline of the first. Descendants that "
          "lost "
          "their parent are not counted. Inconclusive without at least 2 samples of the baseline, without a "
          "sample in the stretch judged, and for a service that breakwire did not start.\n\n"
          "Sources: proc(5), /proc/PID/status (Threads, VmRSS) and /proc/PID/fd.",
      .example = R"({ "check": "resources", "service": "orders", "after": "hang", "within": "2s" })",
  });
}

}  // namespace breakwire::checks
