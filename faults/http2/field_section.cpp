#include "faults/http2/field_section.h"

namespace breakwire::http2 {

FieldSection::FieldSection(const faults::Metadata& fields) {
  for (const auto& field : fields) add(field.name, field.value, field.never_indexed);
}

void FieldSection::clear() {
  text_.clear();
  entries_.clear();
}

void FieldSection::add(std::string_view name, std::string_view value, bool never_indexed) {
  entries_.push_back({.begin = static_cast<uint32_t>(text_.size()),
                      .name = static_cast<uint32_t>(name.size()),
                      .value = static_cast<uint32_t>(value.size()),
                      .never_indexed = never_indexed});
  text_.append(name);
  text_.append(value);
}

faults::Metadata FieldSection::list() const {
  faults::Metadata fields;
  fields.reserve(entries_.size());
  for (size_t at = 0; at < entries_.size(); ++at) {
    fields.push_back({.name = std::string(name(at)),
                      .value = std::string(value(at)),
                      .never_indexed = entries_[at].never_indexed});
  }
  return fields;
}

std::optional<std::string_view> value_of(const FieldSection& fields, std::string_view name) {
  for (size_t at = 0; at < fields.size(); ++at) {
    if (fields.name(at) == name) return fields.value(at);
  }
  return std::nullopt;
}

}  // namespace breakwire::http2
