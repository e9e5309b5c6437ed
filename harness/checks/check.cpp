#include "harness/checks/check.h"

#include <algorithm>

namespace breakwire::checks {

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::error:
      return "error";
    case Verdict::skipped:
      return "skipped";
  }
  return "";
}

Verdict worst(Verdict a, Verdict b) {
  for (const Verdict verdict : {Verdict::error, Verdict::failed, Verdict::inconclusive, Verdict::passed}) {
    if (a == verdict || b == verdict) return verdict;
  }
  return Verdict::skipped;
}

Judged judge(const CheckSpec& spec, const history::History& history, const history::Calls& calls) {
  const auto resolved = history::resolve(spec.window, history);
  if (const auto* none = std::get_if<history::NoWindow>(&resolved)) {
    CheckResult result;
    result.reason = none->why;
    return {std::move(result), ""};
  }
  const auto& window = std::get<history::Window>(resolved);
  Judged judged{spec.check->evaluate({history, calls, window, spec.name}), window.text};
  CheckResult& result = judged.result;
  const bool decided = result.verdict == Verdict::passed || result.verdict == Verdict::failed;
  if (decided && result.samples < spec.min_samples) {
    result.reason = "only " + std::to_string(result.samples) +
                    (result.samples == 1 ? " sample" : " samples") + ", " + std::to_string(spec.min_samples) +
                    " needed" + (result.verdict == Verdict::failed ? "; those there were had failed" : "");
    result.verdict = Verdict::inconclusive;
  }
  return judged;
}

}  // namespace breakwire::checks
