#include "reports/explain.h"

#include <algorithm>

#include "faults/kinds/match_fields.h"

namespace breakwire::reports {
namespace {

using checks::CheckKind;
using faults::FaultClass;
using faults::FaultKind;
using faults::Lifetime;

std::string kind_of_place(FaultClass fault_class) {
  switch (fault_class) {
    case FaultClass::transport:
      return "transport fault, on an edge";
    case FaultClass::call:
      return "call fault, on an edge that speaks gRPC";
    case FaultClass::process:
      return "process fault, on a service";
  }
  return "";
}

std::string length_of(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::span:
      return "lasts for its `for`, or to the end of the run";
    case Lifetime::instant:
      return "instantaneous: takes no `for`";
    case Lifetime::optional_span:
      return "instantaneous, or lasts for its `for`";
    case Lifetime::down:
      return "lasts for its parameter `down`";
  }
  return "";
}

std::string wrapped(const std::string& text, const std::string& margin) {
  std::string out, line;
  size_t at = 0;
  const auto flush = [&] {
    if (!line.empty()) out += margin + line + "\n";
    line.clear();
  };
  while (at < text.size()) {
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!line.empty() && line.size() + 1 + word.size() + margin.size() > 100) flush();
    if (!word.empty()) line += (line.empty() ? "" : " ") + word;
    if (end < text.size() && text[end] == '\n') flush();
    at = end + 1;
  }
  flush();
  return out;
}

std::string when_left_out(const FieldInfo& field) {
  if (field.required) return "required";
  return field.default_text.empty() ? "optional" : "default " + field.default_text;
}

std::string field_lines(const std::vector<FieldInfo>& fields) {
  std::string text;
  for (const auto& field : fields) {
    text += "  " + field.name + "  (" + field.type + ", " + when_left_out(field) + ")\n" +
            wrapped(field.doc, "      ");
  }
  return text;
}

std::string field_table(const std::vector<FieldInfo>& fields) {
  if (fields.empty()) return "No parameters.\n";
  std::string text = "| parameter | type | when left out | meaning |\n|---|---|---|---|\n";
  for (const auto& field : fields) {
    std::string doc = field.doc;
    for (size_t at = doc.find('|'); at != std::string::npos; at = doc.find('|', at + 2)) doc.insert(at, "\\");
    text += "| `" + field.name + "` | " + field.type + " | " + when_left_out(field) + " | " + doc + " |\n";
  }
  return text;
}

/// What of its traffic a kind can be restricted to, and where it acts when nothing is said.
std::string matched_by(const FaultKind& kind) {
  const auto fields = faults::match_fields(kind);
  if (fields.empty()) return "It takes no `match`.\n";
  std::string text;
  for (const auto& field : fields) {
    text += (text.empty() ? "It takes a `match` by `" : ", `") + field.name + "`";
    const json::Value* names = field.name == "stage" ? field.schema.find("enum") : nullptr;
    if (names) {
      text += " (";
      for (size_t i = 0; i < names->items.size(); ++i) text += (i ? ", `" : "`") + names->items[i].text + "`";
      text += "; left out: `" + field.default_text + "`)";
    } else if (!field.default_text.empty()) {
      text += " (left out: `" + field.default_text + "`)";
    }
  }
  return text + ".\n";
}

std::string kinds_of(FaultClass fault_class) {
  std::string text = "| kind | what it does |\n|---|---|\n";
  for (const auto& kind : faults::fault_kinds()) {
    if (kind.fault_class != fault_class) continue;
    text += "| [`" + kind.name + "`](#" + kind.name + ") | " + kind.summary + " |\n";
  }
  return text;
}

/// What a reader needs before any kind.
std::string faults_introduction() {
  return "# Faults\n\nWritten by `breakwire docs faults`; do not edit.\n\n"
         "A fault is an entry in a scenario's `timeline`: `fault` names the kind, `on` the edge or the "
         "service, "
         "`with` its parameters, `match` which traffic of the edge it concerns, `at` or `when` its "
         "beginning, "
         "`for` its length; [scenarios.md](scenarios.md) tells about all of them. Every kind below says what "
         "is "
         "on the wire, what peers make of it, and what happens when it ends, which it does by itself or with "
         "the run.\n\n"
         "On the connections of an edge, whatever they carry (`goaway`, `mute_ping`, `freeze_window` and "
         "`settings` find something to act on only where it is HTTP/2):\n\n" +
         kinds_of(FaultClass::transport) + "\nOn the calls of an edge that speaks gRPC:\n\n" +
         kinds_of(FaultClass::call) + "\nOn a service:\n\n" + kinds_of(FaultClass::process) +
         "\n## Which traffic: `match`\n\nTransport faults:\n\n" +
         field_table(faults::match_fields(FaultClass::transport)) + "\nCall faults:\n\n" +
         field_table(faults::match_fields(FaultClass::call)) +
         "\nStages, in the order in which a call comes to them: `headers`, the request's HEADERS are here "
         "and "
         "nothing was forwarded; `request_message`, the last byte of a request message; `request_end`, its "
         "END_STREAM; `response_headers`, `response_message` and `response_end` likewise, the last with the "
         "status.\n"
         "\n## Faults that overlap\n\n"
         "Several faults may be in force on one edge. Each counts and selects for itself; what they do "
         "together "
         "follows these rules.\n\n"
         "1. They act in the order of the timeline, as it is written, whichever came into force first.\n"
         "2. Delays add up (`latency`, `grpc_delay`).\n"
         "3. Effects go together, each on what the ones before it have left: the paces of `bandwidth`, "
         "`slice` "
         "and `stream_bandwidth`, of which each is kept, so that the slowest counts; the bits of `corrupt`; "
         "the fields of `metadata` and of `missing_trailers` with `headers`; the values of `settings`, where "
         "of "
         "two for the same setting the later entry's is seen; and the dead ways of `blackhole` and "
         "`half_open`, which are open again when the last fault that closes them is over.\n"
         "4. Any other answer decides what becomes of the bytes, the frame, the call or the connection. The "
         "first one wins, and the hit is its fault's. Later faults are not asked about that event and have "
         "no "
         "hit by it. Delays before it apply: the answer comes that much later, and counts when it comes. "
         "Likewise an effect on a call counts when it is carried out, which it is not when a later fault "
         "answers in the service's place.\n"
         "5. When a fault ends, what it held or delayed is asked about again, so the faults that are still "
         "in "
         "force act on it as if it came now. What was done already stays done.\n\n"
         "On one service: it stays stopped as long as one of `pause` and `starve_cpu` wants it so, it has "
         "the "
         "tightest of the limits of several `limit`, and a process that is started again meanwhile gets "
         "both. "
         "`signal`, `kill` and `restart` are done one after the other.\n"
         "\n## What the report says of each\n\n"
         "`armed_ms` and `cleared_ms`: when it was in force. `eligible`: the calls (or connections) that its "
         "`match` fits, `calls` left aside. `hits`: those to which it did something, once each; of bytes, "
         "once "
         "for each direction of a connection. `first_hit_ms` and `last_hit_ms`: when. `fired`: as often as "
         "its "
         "`must_fire` asks, at least once; otherwise the scenario is inconclusive, and `reason` says what "
         "was "
         "there instead. `fidelity`: `wire`, or how it was less than the real thing. `cleanup`: `healed`, "
         "`not "
         "needed`, or what could not be undone. `samples`: the first hits, as event numbers of the history, "
         "and "
         "`sample_calls`: those that were calls, with method, id and trace id.\n";
}

std::string fidelity_of(const FaultKind& kind) {
  std::string text = kind.fidelity;
  for (const auto& [action, lesser] : kind.fidelity_by_action) text += ", or " + lesser;
  return text;
}

template <class Kind>
std::string list_of(const std::vector<Kind>& kinds) {
  size_t width = 0;
  for (const auto& kind : kinds) width = std::max(width, kind.name.size());
  std::string text;
  for (const auto& kind : kinds)
    text += kind.name + std::string(width + 2 - kind.name.size(), ' ') + kind.summary + "\n";
  return text;
}

}  // namespace

std::string explain(const FaultKind& kind) {
  std::string text = kind.name + ": " + kind.summary + "\n" + kind_of_place(kind.fault_class) + "; " +
                     length_of(kind.lifetime) + "; fidelity: " + fidelity_of(kind) + "\n\n" +
                     wrapped(kind.details, "") + "\n";
  text += kind.parameters.empty() ? "with: no parameters\n" : "with:\n" + field_lines(kind.parameters);
  if (const auto fields = faults::match_fields(kind); !fields.empty())
    text += "\nmatch:\n" + field_lines(fields);
  return text + "\nexample:\n  " + kind.example + "\n";
}

std::string explain(const CheckKind& kind) {
  std::string text = kind.name + ": " + kind.summary + "\n";
  if (kind.universal)
    text += "universal: judged in every scenario unless its `waive` names it, with a reason\n";
  text += "\n" + wrapped(kind.details, "") + "\n";
  text += kind.parameters.empty() ? "no parameters\n" : "parameters:\n" + field_lines(kind.parameters);
  return text + "\nexample:\n  " + kind.example + "\n";
}

std::string list_of_faults() { return list_of(faults::fault_kinds()); }
std::string list_of_checks() { return list_of(checks::check_kinds()); }

std::string faults_markdown() {
  std::string text = faults_introduction();
  for (const auto& kind : faults::fault_kinds()) {
    text += "\n## `" + kind.name + "`\n\n" + kind.summary + "\n\n*" + kind_of_place(kind.fault_class) + "; " +
            length_of(kind.lifetime) + "; fidelity: " + fidelity_of(kind) + "*\n\n" + kind.details + "\n\n" +
            field_table(kind.parameters) + "\n" + matched_by(kind) + "\n```json\n" + kind.example + "\n```\n";
  }
  return text;
}

std::string checks_markdown() {
  std::string text =
      "# Checks\n\nWritten by `breakwire docs checks`; do not edit.\n\nEvery check may name a window "
      "(`before`, `during` or `after` a fault's id), an `id`, and `min_samples`.\n";
  for (const auto& kind : checks::check_kinds()) {
    text += "\n## `" + kind.name + "`\n\n" + kind.summary +
            (kind.universal ? " *Universal: judged in every scenario unless waived by name.*" : "") + "\n\n" +
            kind.details + "\n\n" + field_table(kind.parameters) + "\n```json\n" + kind.example + "\n```\n";
  }
  return text;
}

}  // namespace breakwire::reports
