#include "harness/scenario/placeholders.h"

namespace breakwire::scenario {
namespace {

/// Walks over the pieces of a text: plain text, escapes resolved, and names with their offsets.
template <class OnText, class OnName>
void walk(std::string_view text, OnText on_text, OnName on_name) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t dollar = text.find('$', at);
    if (dollar == std::string_view::npos) {
      on_text(text.substr(at));
      return;
    }
    on_text(text.substr(at, dollar - at));
    if (text.substr(dollar).starts_with("$${")) {
      on_text("${");
      at = dollar + 3;
      continue;
    }
    const size_t close = text.find('}', dollar);
    if (!text.substr(dollar).starts_with("${") || close == std::string_view::npos) {
      on_text("$");
      at = dollar + 1;
      continue;
    }
    on_name(text.substr(dollar + 2, close - dollar - 2), dollar);
    at = close + 1;
  }
}

}  // namespace

std::string expand(std::string_view text, const Lookup& lookup, std::vector<std::string>* unknown) {
  std::string out;
  walk(
      text, [&](std::string_view piece) { out += piece; },
      [&](std::string_view name, size_t) {
        if (auto value = lookup(name)) {
          out += *value;
        } else {
          out += "${" + std::string(name) + "}";
          if (unknown) unknown->emplace_back(name);
        }
      });
  return out;
}

std::vector<Use> uses(std::string_view text) {
  std::vector<Use> all;
  walk(
      text, [](std::string_view) {},
      [&](std::string_view name, size_t offset) {
        all.push_back({std::string(name), offset});
      });
  return all;
}

std::optional<size_t> unclosed(std::string_view text) {
  const size_t closed = text.rfind('}');
  for (size_t at = text.find("${", closed == std::string_view::npos ? 0 : closed);
       at != std::string_view::npos; at = text.find("${", at + 2)) {
    if (at == 0 || text[at - 1] != '$') return at;
  }
  return std::nullopt;
}

}  // namespace breakwire::scenario
