#include "harness/load/request.h"

#include <google/protobuf/util/json_util.h>

namespace breakwire::load {
namespace {

namespace pb = google::protobuf;

/// The library's own verdict. It says what is wrong and, roughly, on which field, but not where in the file.
pb::util::Status convert(const pb::Descriptor& type, pb::util::TypeResolver& resolver,
                         const json::Value& value, std::string* bytes) {
  return pb::util::JsonToBinaryString(&resolver, "type.googleapis.com/" + type.full_name(),
                                      json::write_line(value), bytes);
}

/// Types whose JSON is not an object of their fields (proto3 JSON mapping): left to the library as a whole.
bool is_special(const pb::Descriptor& type) { return type.full_name().starts_with("google.protobuf."); }

/// Finds which parts the library does not take, by asking it about each alone.
class Diagnosis {
 public:
  Diagnosis(pb::util::TypeResolver& resolver, ErrorList& errors) : resolver_(resolver), errors_(errors) {}

  void message(const pb::Descriptor& type, const json::Value& value) {
    if (!value.is(json::Kind::object))
      return wrong_kind(value, "a message (" + type.full_name() + ")", "an object");
    for (const auto& member : value.members) {
      if (const auto* field = field_of(type, member.key)) {
        whole_field(*field, member.key, member.value);
      } else {
        std::vector<std::string> names;
        for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
        errors_.push_back(json::error_at(member.key_span,
                                         type.full_name() + " has no field `" + member.key + "`",
                                         did_you_mean(member.key, names)));
      }
    }
  }

 private:
  static const pb::FieldDescriptor* field_of(const pb::Descriptor& type, const std::string& name) {
    for (int i = 0; i < type.field_count(); ++i) {
      if (type.field(i)->name() == name || type.field(i)->json_name() == name) return type.field(i);
    }
    return nullptr;
  }

  void wrong_kind(const json::Value& value, const std::string& what, const std::string& wanted) {
    errors_.push_back(json::error_at(
        value.span, "expected " + what + " here, found " + std::string(json::to_text(value.kind)),
        "write " + wanted));
  }

  void whole_field(const pb::FieldDescriptor& field, const std::string& key, const json::Value& value) {
    if (value.is(json::Kind::null)) return;  // the field's default
    if (field.is_map()) {
      if (!value.is(json::Kind::object))
        return wrong_kind(value, "a map (`" + field.name() + "`)", "an object");
      for (const auto& entry : value.members)
        element(*field.message_type()->map_value(), field, key, entry.value, [&](const json::Value& one) {
          return json::object({{entry.key, one}});
        });
    } else if (field.is_repeated()) {
      if (!value.is(json::Kind::array))
        return wrong_kind(value, "a repeated field (`" + field.name() + "`)", "a list");
      for (const auto& item : value.items)
        element(field, field, key, item, [](const json::Value& one) { return json::array({one}); });
    } else {
      element(field, field, key, value, [](const json::Value& one) { return one; });
    }
  }

  /// `type_of` says what one element is; `wrap` puts it alone where `field` holds it.
  template <class Wrap>
  void element(const pb::FieldDescriptor& type_of, const pb::FieldDescriptor& field, const std::string& key,
               const json::Value& value, Wrap wrap) {
    if (const auto* type = type_of.message_type(); type != nullptr && !is_special(*type))
      return message(*type, value);
    std::string bytes;
    const auto verdict =
        convert(*field.containing_type(), resolver_, json::object({{key, wrap(value)}}), &bytes);
    if (verdict.ok()) return;
    std::string type = type_of.type_name();
    std::string hint;
    if (const auto* names = type_of.enum_type()) {
      type = names->full_name();
      std::vector<std::string> known;
      for (int i = 0; i < names->value_count(); ++i) known.push_back(names->value(i)->name());
      hint = did_you_mean(value.text, known);
    } else if (type_of.message_type() != nullptr) {
      type = type_of.message_type()->full_name();
    }
    errors_.push_back(json::error_at(
        value.span,
        "field `" + field.name() + "` is of type " + type + " and cannot be " + json::write_line(value),
        hint));
  }

  pb::util::TypeResolver& resolver_;
  ErrorList& errors_;
};

}  // namespace

Result<std::string> encode_json(const pb::Descriptor& type, pb::util::TypeResolver& resolver,
                                const json::Value& value) {
  std::string bytes;
  const auto verdict = convert(type, resolver, value, &bytes);
  if (verdict.ok()) return bytes;
  ErrorList errors;
  if (!is_special(type)) Diagnosis(resolver, errors).message(type, value);
  if (errors.empty()) {
    errors.push_back(
        json::error_at(value.span, "this is no " + type.full_name() + ": " + std::string(verdict.message())));
  }
  return errors;
}

}  // namespace breakwire::load
