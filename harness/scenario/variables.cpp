#include "harness/scenario/variables.h"

#include "harness/scenario/placeholders.h"
#include "harness/scenario/sections.h"

namespace breakwire::scenario {
namespace {

using json::Kind;
using json::Member;
using json::Value;

constexpr std::string_view prefix = "vars.";
constexpr size_t most_variants = 1000;  // a slip in a matrix must not become a week of runs

bool read_key(const Member& member, ErrorList& errors) {
  Value key(member.key);
  key.span = member.key_span;
  Id id;
  return Codec<Id>::read(key, id, errors);
}

/// A value as it stands in a variant's name or inside a longer text.
std::string plain(const Value& value) {
  return value.is(Kind::string) ? value.text : json::write_line(value);
}

void refuse_nested(const Value& value, ErrorList& errors) {
  for (const Use& use : uses(value.text)) {
    if (!use.name.starts_with(prefix)) continue;
    errors.push_back(json::error_at(span_of_use(value.span, use.name),
                                    "a variable cannot be made of another variable",
                                    "write the whole value, or use both where they are needed"));
  }
  for (const Value& item : value.items) refuse_nested(item, errors);
  for (const Member& member : value.members) refuse_nested(member.value, errors);
}

void define(const Member& member, Variables& variables, ErrorList& errors) {
  if (!read_key(member, errors)) return;
  refuse_nested(member.value, errors);
  variables[member.key] = {member.value, json::place_of(member.key_span)};
}

std::vector<std::string> names_of(const Variables& variables) {
  std::vector<std::string> names;
  for (const auto& [name, variable] : variables) names.push_back(name);
  return names;
}

/// Multiplies the variants by one member of the matrix.
void multiply(std::vector<Variant>& variants, const Member& member, ErrorList& errors) {
  const Value& values = member.value;
  if (!read_key(member, errors)) return;
  if (!values.is(Kind::array) || values.items.empty()) {
    errors.push_back(json::error_at(values.span, "`" + member.key + "` needs a list of its values",
                                    "such as [\"100ms\", \"1s\"]"));
    for (Variant& variant : variants) variant.variables[member.key].wrong = true;
    return;
  }
  refuse_nested(values, errors);
  for (auto value = values.items.begin(); value != values.items.end(); ++value) {
    const bool twice = std::any_of(values.items.begin(), value,
                                   [&](const Value& other) { return plain(other) == plain(*value); });
    if (twice)
      errors.push_back(json::error_at(value->span, "`" + plain(*value) + "` stands twice in the matrix",
                                      "remove one of the two"));
  }
  if (variants.size() * values.items.size() > most_variants) {
    errors.push_back(json::error_at(
        member.key_span, "the matrix has more than " + std::to_string(most_variants) + " combinations",
        "split the file, or remove values"));
    return;
  }
  std::vector<Variant> all;
  for (const Variant& variant : variants) {
    for (const Value& value : values.items) {
      Variant& more = all.emplace_back(variant);
      more.text += (more.text.empty() ? "" : ",") + member.key + "=" + plain(value);
      more.variables[member.key] = {value, json::place_of(value.span)};
    }
  }
  variants = std::move(all);
}

/// Values may hold what joins them, so that two combinations read the same.
void refuse_same_names(const std::vector<Variant>& variants, const Value& matrix, ErrorList& errors) {
  std::set<std::string> names;
  for (const Variant& variant : variants) {
    if (names.insert(variant.text).second) continue;
    errors.push_back(json::error_at(matrix.span, "two combinations are both named `" + variant.text + "`",
                                    "choose values without `,` and `=`"));
    return;
  }
}

void add_twin(const Member& member, std::vector<Variant>& variants, ErrorList& errors) {
  TwinText text;
  const size_t before = errors.size();
  read_key(member, errors);
  TwinText::fields().read(member.value, text, errors);
  if (!text.vars.is(Kind::object)) described::wrong_kind(text.vars, "an object", errors);
  if (const Value* fails = member.value.find("fails");
      fails && fails->is(Kind::array) && fails->items.empty())
    errors.push_back(json::error_at(fails->span, "a twin must fail at least one check",
                                    "name the checks that its flaw turns red"));
  Variant twin = variants.front();
  twin.twin = member.key;
  twin.fails = text.fails;
  for (const Member& var : text.vars.members) {
    if (!twin.variables.contains(var.key)) {
      errors.push_back(json::error_at(var.key_span, "there is no variable `" + var.key + "`",
                                      did_you_mean(var.key, names_of(twin.variables))));
      continue;
    }
    define(var, twin.variables, errors);
  }
  if (errors.size() == before) variants.push_back(std::move(twin));
}

void collect_uses(const Value& value, std::set<std::string>& used) {
  for (const Use& use : uses(value.text)) {
    if (use.name.starts_with(prefix)) used.insert(use.name.substr(prefix.size()));
  }
  for (const Value& item : value.items) collect_uses(item, used);
  for (const Member& member : value.members) collect_uses(member.value, used);
}

/// What no text uses changes nothing: every variant of a matrix would be the same run under another name. Only of the
/// file itself: what it includes may serve other files too.
void refuse_unused(const Document& document, ErrorList& errors) {
  if (!document.whole) return;
  std::set<std::string> used;
  for (const Member& section : document.root.members) {
    if (section.key != "vars" && section.key != "matrix") collect_uses(section.value, used);
  }
  for (const char* section : {"vars", "matrix"}) {
    const Value* variables = document.root.find(section);
    if (!variables) continue;
    for (const Member& variable : variables->members) {
      if (used.contains(variable.key) || variable.key_span.source != document.root.span.source) continue;
      errors.push_back(json::error_at(variable.key_span, "nothing uses `${vars." + variable.key + "}`",
                                      did_you_mean(variable.key, {used.begin(), used.end()})));
    }
  }
}

/// The value as if it had been written at `span`.
Value placed(Value value, const json::Span& span) {
  value.span = span;
  for (Value& item : value.items) item = placed(std::move(item), span);
  for (Member& member : value.members) {
    member.key_span = span;
    member.value = placed(std::move(member.value), span);
  }
  return value;
}

/// One walk over a tree that replaces variables.
struct Substitution {
  const Variables& variables;
  Document& document;
  std::vector<json::Span>& broken;
  ErrorList& errors;

  /// nullptr, and an error, when there is none.
  const Variable* find(const Value& text, const std::string& name) {
    const std::string variable = name.substr(prefix.size());
    if (auto found = variables.find(variable); found != variables.end()) {
      if (!found->second.wrong) {
        document.notes.push_back({text.span, found->second.defined});
        return &found->second;
      }
    } else if (document.whole) {
      errors.push_back(json::error_at(
          span_of_use(text.span, name), "there is no variable `" + variable + "`",
          variables.empty() ? "define it in `vars`" : did_you_mean(variable, names_of(variables))));
    }
    broken.push_back(text.span);
    return nullptr;
  }

  void replace(Value& text) {
    std::string out;
    size_t done = 0;
    for (const Use& use : uses(text.text)) {
      if (!use.name.starts_with(prefix)) continue;
      const Variable* variable = find(text, use.name);
      if (!variable) return;
      const size_t length = use.name.size() + 3;  // with `${` and `}`
      if (length == text.text.size()) {
        text = placed(variable->value, text.span);
        return;
      }
      const Kind kind = variable->value.kind;
      if (kind == Kind::array || kind == Kind::object || kind == Kind::null) {
        errors.push_back(json::error_at(span_of_use(text.span, use.name),
                                        "`" + use.name.substr(prefix.size()) + "` is " +
                                            std::string(json::to_text(kind)) +
                                            " and cannot stand inside a text",
                                        "it can be the whole value: \"${" + use.name + "}\""));
        broken.push_back(text.span);
        return;
      }
      out += text.text.substr(done, use.offset - done) + plain(variable->value);
      done = use.offset + length;
    }
    if (done > 0) text.text = out + text.text.substr(done);
  }

  void walk(Value& value) {
    if (value.is(Kind::string)) {
      if (value.text.find("${") != std::string::npos) replace(value);
      return;  // what a variable brought in is not looked at again
    }
    for (Value& item : value.items) walk(item);
    for (Member& member : value.members) walk(member.value);
  }
};

}  // namespace

const Fields<TwinText>& TwinText::fields() {
  static const auto all =
      Fields<TwinText>()
          .optional("description", &TwinText::description, "What is wrong with this twin.")
          .required("vars", &TwinText::vars, "The variables that make it the flawed one.")
          .required("fails", &TwinText::fails,
                    "The checks that must fail, exactly these: ids, or kinds of checks without an id.");
  return all;
}

FormatPart twins_section() { return {"twins", "a twin", TwinText::fields().info()}; }

std::vector<Variant> variants_of(const Document& document, ErrorList& errors) {
  std::vector<Variant> variants(1);
  if (const Value* vars = document.root.find("vars")) {
    for (const Member& member : vars->members) define(member, variants.front().variables, errors);
  }
  if (const Value* matrix = document.root.find("matrix")) {
    const size_t before = errors.size();
    for (const Member& member : matrix->members) multiply(variants, member, errors);
    if (errors.size() == before) refuse_same_names(variants, *matrix, errors);
  }
  if (const Value* twins = document.root.find("twins")) {
    for (const Member& member : twins->members) add_twin(member, variants, errors);
  }
  refuse_unused(document, errors);
  return variants;
}

void substitute(Value& tree, const Variables& variables, Document& document, std::vector<json::Span>& broken,
                ErrorList& errors) {
  Substitution{variables, document, broken, errors}.walk(tree);
}

json::Span span_of_use(const json::Span& text, std::string_view name) {
  if (!text.source) return text;
  const std::string wanted = "${" + std::string(name) + "}";
  const std::string written = text.source->text.substr(text.begin, text.end - text.begin);
  for (size_t at = written.find(wanted); at != std::string::npos; at = written.find(wanted, at + 1)) {
    if (at > 0 && written[at - 1] == '$') continue;  // escaped
    return {text.source, text.begin + at, text.begin + at + wanted.size()};
  }
  return text;
}

}  // namespace breakwire::scenario
