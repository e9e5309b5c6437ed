#include "harness/run/secrets.h"

namespace breakwire::run {
namespace {

constexpr std::string_view mask = "***";

std::string without(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + mask.size()))
      text.replace(at, secret.size(), mask);
  }
  return text;
}

std::string inside_json(const std::string& text) {
  const std::string quoted = json::write_line(json::Value(text));
  return quoted.substr(1, quoted.size() - 2);
}

void hide_values(json::Value& value, const Secrets& secrets) {
  if (value.is(json::Kind::string)) value.text = secrets.hidden(std::move(value.text));
  for (auto& item : value.items) hide_values(item, secrets);
  for (auto& member : value.members) hide_values(member.value, secrets);
}

}  // namespace

Secrets::Secrets(const std::vector<std::string>& texts, const scenario::Lookup& environment) {
  const scenario::Lookup lookup = [&](std::string_view name) -> std::optional<std::string> {
    return name.starts_with("env.") ? environment(name.substr(4)) : std::nullopt;
  };
  for (const auto& text : texts) {
    std::vector<std::string> unknown;
    std::string secret = scenario::expand(text, lookup, &unknown);
    if (unknown.empty() && !secret.empty()) plain_.push_back(std::move(secret));
  }
  std::stable_sort(plain_.begin(), plain_.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& secret : plain_) escaped_.push_back(inside_json(secret));
}

std::string Secrets::hidden(std::string text) const { return without(std::move(text), plain_); }

std::string Secrets::hidden_in_json(std::string text) const { return without(std::move(text), escaped_); }

void Secrets::hide_in(ScenarioResult& result) const {
  if (plain_.empty()) return;
  const auto hide = [&](std::string& text) { text = hidden(std::move(text)); };
  hide(result.reason);
  hide(result.description);
  hide(result.baseline);
  for (auto& [check, why] : result.waived) hide(why);
  for (auto& service : result.services) {
    for (auto& line : service.last_output) hide(line);
  }
  for (auto& load : result.loads) {
    for (auto& argument : load.command) hide(argument);
  }
  for (auto& fault : result.faults) {
    hide(fault.reason);
    hide(fault.cleanup);
    hide_values(fault.entry, *this);
  }
  for (auto& check : result.checks) {
    hide(check.result.expected);
    hide(check.result.actual);
    hide(check.result.reason);
  }
  for (auto& note : result.notes) hide(note);
}

}  // namespace breakwire::run
