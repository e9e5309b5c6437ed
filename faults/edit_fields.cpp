#include "faults/edit_fields.h"

#include <algorithm>
#include <string_view>

namespace breakwire::faults {
namespace {

bool is_pseudo(std::string_view name) { return name.starts_with(':'); }

bool remove(std::string_view name, Metadata& fields) {
  return std::erase_if(fields, [&](const Field& field) { return field.name == name; }) > 0;
}

bool replace(Field& field, const Field& by) {
  const bool changed = field.value != by.value;
  field.value = by.value;
  field.never_indexed = field.never_indexed || by.never_indexed;
  return changed;
}

bool set(const Field& wanted, Metadata& fields) {
  const auto named = [&](const Field& field) { return field.name == wanted.name; };
  const auto first = std::find_if(fields.begin(), fields.end(), named);
  if (first == fields.end()) {
    fields.push_back(wanted);
    return true;
  }
  const bool changed = replace(*first, wanted);
  const auto rest = std::remove_if(first + 1, fields.end(), named);
  const bool shorter = rest != fields.end();
  fields.erase(rest, fields.end());
  return changed || shorter;
}

bool rewrite(const Field& wanted, Metadata& fields) {
  bool changed = false;
  for (Field& field : fields) {
    if (field.name == wanted.name) changed = replace(field, wanted) || changed;
  }
  return changed;
}

}  // namespace

bool edit_fields(const EditFields& edit, Metadata& fields) {
  bool changed = false;
  for (const auto& name : edit.remove) changed = (!is_pseudo(name) && remove(name, fields)) || changed;
  for (const auto& field : edit.set) changed = (!is_pseudo(field.name) && set(field, fields)) || changed;
  for (const auto& field : edit.rewrite) {
    changed = (!is_pseudo(field.name) && rewrite(field, fields)) || changed;
  }
  return changed;
}

}  // namespace breakwire::faults
