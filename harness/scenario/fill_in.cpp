// `${…}` in a scenario's texts: where a run fills them in, what they may name there, and where they cannot
// be.
#include <optional>

#include "harness/scenario/sections.h"
#include "harness/scenario/variables.h"

namespace breakwire::scenario {
namespace {

using json::Kind;
using json::Member;
using json::Value;

/// What the texts of one place may name.
struct Rules {
  const Names* names = nullptr;
  std::string from;                  // edges must begin at this service; empty: any may be named
  const Service* service = nullptr;  // whose ports may be named
  bool own_ports = false;
  bool places = true;      // bin and edges
  bool each_call = false;  // uuid and call
};

/// The keys of a section's members whose texts are filled in during a run.
bool is_filled_in(std::string_view section, std::string_view key) {
  const auto among = [&](std::initializer_list<std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  if (section == "services") return among({"run", "env", "cwd", "log", "metrics"});
  if (section == "load") return among({"request", "messages", "metadata", "command", "env", "cwd"});
  return false;
}

/// The same in an entry of a section that is a list.
bool is_filled_in_entry(std::string_view section, const Value& entry, std::string_view key) {
  const Value* fault = entry.find("fault");
  if (section == "timeline") return key == "with" && fault && fault->text == "command";
  const Value* check = entry.find("check");
  return section == "expect" && key == "run" && check && check->text == "command";
}

/// Calls `visit` with every text of `root`, the name of its section, its member and its key there.
template <class Root, class Visit>
void each_text(Root& value, Visit visit) {
  if (value.is(Kind::string)) visit(value);
  for (auto& item : value.items) each_text(item, visit);
  for (auto& member : value.members) each_text(member.value, visit);
}

bool is_outside_of_runs(std::string_view section) {
  return section == "vars" || section == "matrix" || section == "twins";
}

class Checker {
 public:
  Checker(const Value& text, const Rules& rules, ErrorList& errors)
      : text_(text), rules_(rules), errors_(errors) {}

  void check() {
    for (const Use& use : uses(text_.text)) check(use.name);
    if (unclosed(text_.text))
      errors_.push_back(json::error_at(text_.span, "a `${` lacks its `}`", "`$${` stands for itself"));
  }

 private:
  void error(const std::string& name, std::string what, std::string hint) {
    errors_.push_back(json::error_at(span_of_use(text_.span, name), std::move(what), std::move(hint)));
  }

  void check(const std::string& name) {
    if (name == "bin" && rules_.places) return;
    if ((name == "uuid" || name == "call") && rules_.each_call) return;
    if (name == "uuid" || name == "call") {
      error(name, "`" + name + "` is only for what a load sends", "requests, messages and metadata");
    } else if (name.starts_with("env.")) {
      if (name.size() == 4) error(name, "`env.` lacks the variable's name", "such as ${env.HOME}");
    } else if (name.starts_with("port.")) {
      check_port(name, name.substr(5));
    } else if (name.starts_with("address.")) {
      check_port(name, name.substr(8));
    } else if (name.find("->") != std::string::npos && rules_.places) {
      check_edge(name);
    } else if (rules_.names->whole) {
      error(name, "`" + name + "` stands for nothing here", did_you_mean(name, known()));
    }
  }

  void check_port(const std::string& name, const std::string& port) {
    if (!rules_.own_ports) {
      error(name, "`" + name + "` is only for a service's own texts",
            "elsewhere, name an edge: ${client->…}");
    } else if (rules_.service) {
      const std::vector<std::string> ports = ports_of(*rules_.service);
      if (std::find(ports.begin(), ports.end(), port) == ports.end())
        error(name, "`" + rules_.service->id.text + "` has no port `" + port + "`",
              closest(port, ports).empty() ? "add it to `ports`" : did_you_mean(port, ports));
    }
  }

  void check_edge(const std::string& name) {
    const auto& edges = rules_.names->edges;
    const size_t dot = name.rfind('.');
    const std::string id = name.substr(0, dot);
    const std::string part = dot == std::string::npos ? "" : name.substr(dot + 1);
    const auto found = edges.find(id);
    if (found == edges.end()) {
      if (rules_.names->whole) error(name, "there is no edge `" + id + "`", edge_hint(id));
      return;
    }
    const Edge* edge = found->second;
    if (!edge) return;
    if (!part.empty() && part != "host" && part != "port" && part != "url") {
      error(name, "an edge has no `." + part + "`", did_you_mean(part, {"host", "port", "url"}));
    } else if (part == "url" && !leads_to_postgres(*edge)) {
      error(name, "`.url` is for edges to PostgreSQL", "write ${" + id + "} for host:port");
    } else if (!rules_.from.empty() && edge->from.text != rules_.from) {
      error(name, "`" + id + "` begins at `" + edge->from.text + "`, and this is `" + rules_.from + "`",
            "name an edge `" + rules_.from + "->" + edge->to.text + "`");
    }
  }

  bool leads_to_postgres(const Edge& edge) const {
    const auto callee = rules_.names->services.find(edge.to.text);
    return callee != rules_.names->services.end() && callee->second && is_postgres(*callee->second);
  }

  std::string edge_hint(const std::string& id) const {
    const std::vector<std::string> known = keys_of(rules_.names->edges);
    return known.empty() ? "add it to `edges`" : did_you_mean(id, known);
  }

  std::vector<std::string> known() const {
    std::vector<std::string> all{"env.NAME", "vars.NAME"};
    if (rules_.each_call) all.insert(all.end(), {"uuid", "call"});
    if (rules_.service) {
      for (const std::string& port : ports_of(*rules_.service))
        all.insert(all.end(), {"address." + port, "port." + port});
    }
    if (!rules_.places) return all;
    all.push_back("bin");
    for (const auto& [id, edge] : rules_.names->edges) all.push_back(id);
    return all;
  }

  const Value& text_;
  const Rules& rules_;
  ErrorList& errors_;
};

Rules rules_for(std::string_view section, const std::string& member, std::string_view key,
                const Names& names) {
  Rules rules;
  rules.names = &names;
  if (section == "services") {
    rules.from = member;
    rules.own_ports = true;
    if (auto found = names.services.find(member); found != names.services.end())
      rules.service = found->second;
  } else if (key == "command" || key == "env" || key == "cwd") {
    rules.from = "client";
  } else {
    rules.each_call = true;
  }
  return rules;
}

}  // namespace

void settle_fixed_texts(Value& root, std::vector<json::Span>& broken, ErrorList& errors) {
  const auto settle = [&](Value& text) {
    const bool told = std::any_of(broken.begin(), broken.end(), [&](const json::Span& span) {
      return span.source == text.span.source && span.begin == text.span.begin;
    });
    if (told || text.text.find("${") == std::string::npos) return;
    for (const Use& use : uses(text.text)) {
      errors.push_back(json::error_at(span_of_use(text.span, use.name),
                                      "nothing fills in `" + use.name + "` here",
                                      "only ${vars.NAME} can stand here; $${ is a plain ${"));
      broken.push_back(text.span);
    }
    text.text = expand(text.text, [](std::string_view) { return std::nullopt; });
  };
  for (Member& section : root.members) {
    if (section.key == "secrets" || is_outside_of_runs(section.key)) continue;
    for (Value& item : section.value.items) {
      if (!item.is(Kind::object)) each_text(item, settle);
      for (Member& part : item.members) {
        if (!is_filled_in_entry(section.key, item, part.key)) each_text(part.value, settle);
      }
    }
    if (section.value.is(Kind::string)) settle(section.value);
    for (Member& member : section.value.members) {
      if (member.value.is(Kind::string)) settle(member.value);
      for (Value& item : member.value.items) each_text(item, settle);
      for (Member& part : member.value.members) {
        if (!is_filled_in(section.key, part.key)) each_text(part.value, settle);
      }
    }
  }
}

void check_placeholders(const Value& root, const Names& names, ErrorList& errors) {
  if (const Value* secrets = root.find("secrets")) {
    Rules rules;
    rules.names = &names;
    rules.places = false;
    each_text(*secrets, [&](const Value& text) { Checker(text, rules, errors).check(); });
  }
  for (const Member& section : root.members) {
    for (const Value& item : section.value.items) {
      for (const Member& part : item.members) {
        if (!is_filled_in_entry(section.key, item, part.key)) continue;
        Rules rules;
        rules.names = &names;
        each_text(part.value, [&](const Value& text) { Checker(text, rules, errors).check(); });
      }
    }
    for (const Member& member : section.value.members) {
      for (const Member& part : member.value.members) {
        if (!is_filled_in(section.key, part.key)) continue;
        const Rules rules = rules_for(section.key, member.key, part.key, names);
        each_text(part.value, [&](const Value& text) { Checker(text, rules, errors).check(); });
      }
    }
  }
}

}  // namespace breakwire::scenario
