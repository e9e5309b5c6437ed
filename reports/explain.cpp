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
  std::string text = "# Faults\n\nWritten by `breakwire docs faults`; do not edit.\n";
  for (const auto& kind : faults::fault_kinds()) {
    text += "\n## `" + kind.name + "`\n\n" + kind.summary + "\n\n*" + kind_of_place(kind.fault_class) + "; " +
            length_of(kind.lifetime) + "; fidelity: " + fidelity_of(kind) + "*\n\n" + kind.details + "\n\n" +
            field_table(kind.parameters) + "\n```json\n" + kind.example + "\n```\n";
  }
  text += "\n## `match`\n\nWhich traffic a fault concerns.\n\nTransport faults:\n\n" +
          field_table(faults::match_fields(FaultClass::transport)) + "\nCall faults:\n\n" +
          field_table(faults::match_fields(FaultClass::call));
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
