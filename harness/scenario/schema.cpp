// The JSON Schema of scenario files, put together from the descriptions of its parts.
#include "faults/kinds/match_fields.h"
#include "harness/scenario/top.h"

namespace breakwire::scenario {
namespace {

using faults::FaultClass;
using faults::FaultKind;
using faults::Lifetime;
using json::array;
using json::Kind;
using json::object;
using json::Value;

Value ref(const char* name) { return object({{"$ref", std::string("#/$defs/") + name}}); }

/// An object whose members all have the same schema.
Value map_of(Value item) { return object({{"type", "object"}, {"additionalProperties", std::move(item)}}); }
Value list_of(Value item) { return object({{"type", "array"}, {"items", std::move(item)}}); }

/// Names with a description each, see `kind_names`.
bool is_choice(const Value& schema) {
  const Value* choices = schema.find("oneOf");
  return choices && choices->items.front().find("const");
}

bool takes_variable(const Value& schema) {
  if (schema.find("enum") || schema.find("const") || is_choice(schema)) return true;
  const Value* type = schema.find("type");
  return type && type->is(Kind::string) &&
         (type->text == "integer" || type->text == "number" || type->text == "boolean" ||
          type->text == "array");
}

/// Lets "${vars.x}" stand where something other than free text is wanted. Conditions are left as they are.
Value with_variables(Value schema) {
  for (auto& member : schema.members) {
    if (member.key == "if" || member.key == "not") continue;
    if (member.key == "properties" || member.key == "patternProperties") {
      for (auto& property : member.value.members) property.value = with_variables(std::move(property.value));
    } else if (member.key == "oneOf" && is_choice(schema)) {
      continue;  // as a whole, below
    } else if (member.key == "anyOf" || member.key == "allOf" || member.key == "oneOf") {
      for (Value& item : member.value.items) item = with_variables(std::move(item));
    } else if (member.value.is(Kind::object)) {
      member.value = with_variables(std::move(member.value));
    }
  }
  if (!takes_variable(schema)) return schema;
  Value either = object();
  if (const Value* description = schema.find("description")) {
    either.set("description", *description);
    std::erase_if(schema.members, [](const json::Member& member) { return member.key == "description"; });
  }
  return either.set("anyOf", array({std::move(schema), ref("variable")}));
}

/// Names with what each means, for completion in editors.
template <class Kinds>
Value kind_names(const Kinds& kinds, std::string description) {
  Value all = array();
  for (const auto& kind : kinds) all.push(object({{"const", kind.name}, {"description", kind.summary}}));
  return object({{"description", std::move(description)}, {"oneOf", std::move(all)}});
}

Value when_key_is(const char* key, const std::string& name, Value then) {
  Value condition =
      object({{"properties", object({{key, object({{"const", name}})}})}, {"required", array({key})}});
  return object({{"if", std::move(condition)}, {"then", std::move(then)}});
}

const FieldInfo& field_of(const std::vector<FieldInfo>& fields, std::string_view name) {
  return *std::find_if(fields.begin(), fields.end(),
                       [&](const FieldInfo& field) { return field.name == name; });
}

/// What a timeline entry of this kind may and must have besides the common keys.
Value fault_branch(const FaultKind& kind, const std::vector<FieldInfo>& common) {
  Value with = kind.schema;
  with.set("description", "Parameters of `" + kind.name + "`: " + kind.summary);
  Value properties = object({{"with", std::move(with)}});
  if (kind.fault_class == FaultClass::process) {
    properties.set("match", false);
  } else {
    Value match = faults::match_schema(kind);
    match.set("description", field_of(common, "match").doc);
    properties.set("match", std::move(match));
  }
  if (kind.lifetime == Lifetime::instant || kind.lifetime == Lifetime::down) properties.set("for", false);
  Value branch = object({{"properties", std::move(properties)}});
  const bool needs = std::any_of(kind.parameters.begin(), kind.parameters.end(),
                                 [](const FieldInfo& field) { return field.required; });
  if (needs) branch.set("required", array({"with"}));
  return when_key_is("fault", kind.name, std::move(branch));
}

Value fault_schema() {
  const std::vector<FieldInfo> common = timeline_section().fields;
  Value schema = described::object_schema(common);
  Value& properties = *schema.find("properties");
  properties.set("fault", kind_names(faults::fault_kinds(), field_of(common, "fault").doc));
  properties.find("with")->set("type", "object");
  properties.find("match")->set("type", "object");
  Value branches = array();
  for (const FaultKind& kind : faults::fault_kinds()) branches.push(fault_branch(kind, common));
  branches.push(object(
      {{"oneOf", array({object({{"required", array({"at"})}}), object({{"required", array({"when"})}})})}}));
  return schema.set("allOf", std::move(branches));
}

/// What an expect entry of this kind may and must have; the common keys are described once, beside the
/// branches.
Value check_branch(const checks::CheckKind& kind, const std::vector<FieldInfo>& common) {
  Value properties = object();
  for (const FieldInfo& field : common) properties.set(field.name, true);
  Value required = array();
  for (const FieldInfo& field : kind.parameters) {
    Value schema = field.schema;
    schema.set("description", field.doc);
    properties.set(field.name, std::move(schema));
    if (field.required) required.push(field.name);
  }
  Value branch = object({{"properties", std::move(properties)}, {"additionalProperties", false}});
  if (!required.items.empty()) branch.set("required", std::move(required));
  return when_key_is("check", kind.name, std::move(branch));
}

Value check_schema() {
  const std::vector<FieldInfo> common = expect_section().fields;
  Value schema = described::object_schema(common);
  schema.find("properties")->set("check", kind_names(checks::check_kinds(), field_of(common, "check").doc));
  std::erase_if(schema.members,
                [](const json::Member& member) { return member.key == "additionalProperties"; });
  Value branches = array();
  for (const checks::CheckKind& kind : checks::check_kinds()) branches.push(check_branch(kind, common));
  const auto both = [](const char* a, const char* b) {
    return object({{"not", object({{"required", array({a, b})}})}});
  };
  branches.push(both("during", "before"));
  branches.push(both("during", "after"));
  branches.push(both("before", "after"));
  return schema.set("allOf", std::move(branches));
}

Value service_schema() {
  Value schema = described::object_schema(services_section().fields);
  Value choices = array();
  for (auto kind : {"run", "postgres", "external"}) choices.push(object({{"required", array({kind})}}));
  return schema.set("oneOf", std::move(choices));
}

Value load_schema() {
  Value schema = described::object_schema(load_section().fields);
  const Value ends =
      array({object({{"required", array({"for"})}}), object({{"required", array({"calls"})}})});
  const Value calls = object({{"required", array({"method"})}, {"anyOf", ends}});
  return schema.set("anyOf", array({calls, object({{"required", array({"command"})}})}));
}

Value waive_schema() {
  Value properties = object();
  for (const checks::CheckKind& kind : checks::check_kinds()) {
    if (!kind.universal) continue;
    Value reason = Codec<Reason>::schema();
    properties.set(kind.name, reason.set("description", "Why not: " + kind.summary));
  }
  return object({{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}});
}

Value named(Value map, const char* pattern) {
  return map.set("propertyNames", object({{"pattern", pattern}}));
}

constexpr const char* id_pattern = "^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9_])?$";

}  // namespace

Value scenario_schema() {
  const std::vector<FieldInfo> top = TopText::fields().info();
  Value schema = object({{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"$id", "urn:breakwire:scenario:1"},
                         {"title", "breakwire scenario"},
                         {"description",
                          "Services, the edges between them, the load, what breaks and when, and what must "
                          "hold."}});
  Value body = described::object_schema(top);
  for (auto& member : body.members) schema.set(member.key, std::move(member.value));
  Value& properties = *schema.find("properties");
  const auto refine = [&](const char* key, Value with) {
    with.set("description", field_of(top, key).doc);
    properties.set(key, std::move(with));
  };
  refine("version", object({{"const", 1}}));
  refine("vars", named(object({{"type", "object"}}), id_pattern));
  refine("matrix", named(map_of(object({{"type", "array"}, {"minItems", 1}})), id_pattern));
  Value twin = described::object_schema(twins_section().fields);
  twin.find("properties")->find("vars")->set("type", "object");
  twin.find("properties")->find("fails")->set("minItems", 1);
  refine("twins", named(map_of(std::move(twin)), id_pattern));
  refine("services", named(map_of(ref("service")), id_pattern));
  refine("edges", named(map_of(ref("edge")), "^[A-Za-z0-9_-]+->[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?$"));
  refine("load", named(map_of(ref("load")), id_pattern));
  refine("timeline", list_of(ref("fault")));
  refine("expect", list_of(ref("check")));
  refine("waive", waive_schema());
  for (auto key : {"seed", "timeout", "baseline", "tags", "secrets"}) {
    properties.set(key, with_variables(*properties.find(key)));
  }
  schema.set("required", array({"version"}));
  Value variable = object({{"type", "string"},
                           {"pattern", "^\\$\\{vars\\.[A-Za-z0-9_-]+\\}$"},
                           {"description", "A variable, which may be of any kind."}});
  schema.set("$defs", object({{"variable", std::move(variable)},
                              {"service", with_variables(service_schema())},
                              {"edge", with_variables(described::object_schema(edges_section().fields))},
                              {"load", with_variables(load_schema())},
                              {"fault", with_variables(fault_schema())},
                              {"check", with_variables(check_schema())}}));
  return schema;
}

std::vector<FormatPart> scenario_format() {
  return {{"scenario", "the file", TopText::fields().info()},
          services_section(),
          edges_section(),
          load_section(),
          timeline_section(),
          expect_section(),
          twins_section()};
}

}  // namespace breakwire::scenario
