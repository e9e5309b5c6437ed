#include "reports/console.h"

#include <cstdio>

namespace breakwire::reports {
namespace {

using namespace run;

constexpr size_t verdict_width = 14;  // "inconclusive" and two spaces

std::string painted(Verdict verdict, const ConsoleOptions& options) {
  std::string word(checks::to_text(verdict));
  const std::string padding(word.size() < verdict_width ? verdict_width - word.size() : 0, ' ');
  if (!options.colour) return word + padding;
  const char* colour = verdict == Verdict::passed         ? "\x1b[32m"
                       : verdict == Verdict::failed       ? "\x1b[31m"
                       : verdict == Verdict::inconclusive ? "\x1b[33m"
                                                          : "\x1b[35m";
  return colour + word + "\x1b[0m" + padding;
}

std::string seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", to_ms(duration) / 1000);
  return text;
}

/// What services and peers print cannot paint, move or ring the reader's terminal.
std::string plain(const std::string& text) {
  std::string out;
  for (char c : text) {
    const bool control = (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == '\x7f';
    if (!control) out += c;
  }
  return out;
}

std::string indented(const std::string& text, const std::string& margin) {
  std::string out = margin;
  for (char c : plain(text)) {
    out += c;
    if (c == '\n') out += margin;
  }
  return out;
}

std::string check_lines(const CheckOutcome& check) {
  std::string text = "           - " + check.name + ": " + std::string(checks::to_text(check.result.verdict));
  if (check.line > 0) text += "  (" + check.file + ":" + std::to_string(check.line) + ")";
  // A check that could not be judged may have nothing to say but why.
  const auto line = [&](const char* what, const std::string& says) {
    if (!says.empty()) text += std::string("\n             ") + what + plain(says);
  };
  line("expected: ", check.result.expected);
  line("found:    ", check.result.actual);
  line("because:  ", check.result.reason);
  line("window:   ", check.window);
  return text + "\n";
}

}  // namespace

std::string progress(const ScenarioResult& result, size_t done, size_t total, const ConsoleOptions& options) {
  const std::string of = std::to_string(total);
  std::string number = std::to_string(done);
  number.insert(0, of.size() > number.size() ? of.size() - number.size() : 0, ' ');
  std::string text = "[" + number + "/" + of + "] " + painted(result.verdict, options) + result.id + "  " +
                     seconds(result.took);
  if (result.twin && result.verdict == Verdict::passed) {
    std::string red;
    for (const auto& name : result.twin->observed) red += (red.empty() ? "" : ", ") + name;
    text += "  (red as it must be: " + red + ")";
  }
  text += "\n";
  if (result.verdict == Verdict::passed) return text;
  text += indented(result.reason, "           ") + "\n";
  for (const auto& fault : result.faults) {
    if (fault.armed && !fault.fired && fault.reason != result.reason)
      text += indented(fault.reason, "           ") + "\n";
    if (fault.cleanup.starts_with("not healed: "))
      text += indented("fault `" + fault.id.text + "` was " + fault.cleanup, "           ") + "\n";
  }
  for (const auto& check : result.checks) {
    // In a run that was cut off, every check is inconclusive, and the reason above says why.
    const bool open = check.result.verdict == Verdict::inconclusive && result.verdict != Verdict::error;
    if (open || check.result.verdict == Verdict::failed) text += check_lines(check);
  }
  for (const auto& service : result.services) {
    if (service.last_output.empty()) continue;
    text += "           last output of " + service.id.text + " (" + service.log + "):\n";
    for (const auto& line : service.last_output) text += "             " + plain(line) + "\n";
  }
  for (const auto& note : result.notes) text += "           note: " + plain(note) + "\n";
  return text;
}

std::string closing(const RunResult& result, const ConsoleOptions& options) {
  const Summary sum = result.summary();
  std::string text = "\n" + painted(sum.verdict, options);
  text += std::to_string(sum.passed) + " of " + std::to_string(sum.total) + " passed";
  const auto also = [&](uint64_t count, const char* word) {
    if (count > 0) text += ", " + std::to_string(count) + " " + word;
  };
  also(sum.failed, "failed");
  also(sum.inconclusive, "inconclusive");
  also(sum.error, "in error");
  also(sum.skipped, "skipped");
  text += " in " + seconds(result.took) + (result.interrupted ? " (interrupted)" : "") + "\n";
  text += "time, summed over scenarios, " + std::to_string(result.jobs) + " at a time: ";
  bool first = true;
  for (const auto& [phase, spent] : result.where_time_went) {
    text += (first ? "" : ", ") + phase + " " + seconds(spent);
    first = false;
  }
  text += "\n";
  for (const auto& scenario : result.scenarios) {
    if (scenario.verdict != Verdict::passed && !scenario.replay.empty())
      text += "replay: " + scenario.replay + "\n";
  }
  return text;
}

}  // namespace breakwire::reports
