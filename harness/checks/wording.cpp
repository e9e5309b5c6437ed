#include "harness/checks/wording.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace breakwire::checks {
std::string brief(Duration duration) {
  if (duration < Duration::zero()) return "-" + brief(-duration);
  const auto tenths = [](Duration d, Duration unit, int64_t per) {
    const int64_t n = (d.count() * per + unit.count() / 2) / unit.count();
    std::string text = std::to_string(n / per);
    std::string decimals = std::to_string(n % per);
    decimals.insert(0, std::to_string(per).size() - 1 - decimals.size(), '0');
    while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
    return decimals.empty() ? text : text + "." + decimals;
  };
  if (duration >= 1s) return tenths(duration, 1s, 100) + " s";
  if (duration >= 10ms) return std::to_string((duration + 500us) / 1ms) + " ms";
  return tenths(duration, 1ms, 10) + " ms";
}

std::string counted(uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string any_of(const std::vector<StatusCode>& codes) {
  std::string text;
  for (const StatusCode code : codes) text += (text.empty() ? "" : " or ") + std::string(to_text(code));
  return text;
}

std::string tally(const std::map<StatusCode, uint64_t>& counts) {
  std::vector<std::pair<StatusCode, uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [code, count] : sorted) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(to_text(code));
  }
  return text.empty() ? "no call" : text;
}

std::string sentence(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

std::string moment(Instant t, const Question& question) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t - question.history.zero()).count();
  std::string decimals = std::to_string(std::abs(ms) % 1000);
  decimals.insert(0, 3 - decimals.size(), '0');
  return (ms < 0 ? "-" : "") + std::to_string(std::abs(ms) / 1000) + "." + decimals + " s";
}

std::string name_of(const history::Attempt& attempt) {
  if (!attempt.call_id.empty()) return attempt.call_id;
  return attempt.edge.text + " connection " + std::to_string(attempt.connection.value) + " stream " +
         std::to_string(attempt.stream);
}

std::string name_of(const history::Calls::LoadCall& call) {
  if (!call.issued->call_id.empty()) return call.issued->call_id;
  return call.issued->load.text + "-" + std::to_string(call.issued->number);
}

void show(CheckResult& result, EventNumber event) {
  constexpr size_t most = 20;
  auto& all = result.evidence;
  if (event.value == 0 || all.size() >= most || std::find(all.begin(), all.end(), event) != all.end()) return;
  all.push_back(event);
}

CheckResult failed(CheckResult result) {
  result.verdict = Verdict::failed;
  result.samples = std::max<uint64_t>(result.samples, 1);
  return result;
}

CheckResult inconclusive(CheckResult result, std::string reason) {
  result.verdict = Verdict::inconclusive;
  result.reason = std::move(reason);
  return result;
}

CheckResult skipped(CheckResult result, std::string reason) {
  result.verdict = Verdict::skipped;
  result.reason = std::move(reason);
  return result;
}

std::vector<const history::Calls::LoadCall*> calls_in(const std::optional<LoadId>& load,
                                                      const Question& question) {
  auto calls = question.calls.load_calls(load.value_or(LoadId{}));
  std::erase_if(calls, [&](const auto* call) { return !question.window.contains(call->issued_at); });
  return calls;
}

std::vector<Reference> reference(const std::optional<LoadId>& load) {
  if (!load) return {};
  return {{Reference::To::load, load->text, "load"}};
}

std::optional<history::ProcessLife> life_at(const ServiceId& service, Instant t, Instant until,
                                            const history::History& history) {
  for (const auto& life : history::process_lives(history)) {
    if (life.service != service || life.started >= until) continue;
    if (!life.exited || *life.exited >= t) return life;
  }
  return std::nullopt;
}

std::string signal_name(int signal) {
  static const std::map<int, std::string> names{
      {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
      {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"},
      {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"},
      {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGSYS, "SIGSYS"},   {SIGTRAP, "SIGTRAP"}};
  const auto found = names.find(signal);
  return found == names.end() ? "signal " + std::to_string(signal) : found->second;
}

std::string how_it_ended(const history::ProcessLife& life) {
  if (!life.exited) return "is running";
  if (life.signal) return "was ended by " + signal_name(*life.signal);
  return "exited with code " + std::to_string(life.code.value_or(-1));
}

}  // namespace breakwire::checks
