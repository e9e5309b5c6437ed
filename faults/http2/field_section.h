// The fields of a block that was just decoded. Most of them nobody ever looks at while no fault is armed, so
// they lie side by side in one text, and become a field list only when somebody asks for one. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/metadata.h"

namespace breakwire::http2 {

class FieldSection {
 public:
  FieldSection() = default;
  FieldSection(const faults::Metadata& fields);  // NOLINT: one is as good as the other

  void clear();
  void add(std::string_view name, std::string_view value, bool never_indexed);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  /// Views are good until the section is changed.
  std::string_view name(size_t at) const { return view(entries_[at].begin, entries_[at].name); }
  std::string_view value(size_t at) const {
    return view(entries_[at].begin + entries_[at].name, entries_[at].value);
  }
  /// In order, with duplicates; made anew each time.
  faults::Metadata list() const;
  /// As MAX_HEADER_LIST_SIZE counts it: +32 per field (RFC 9113 §10.5.1).
  size_t list_size() const { return text_.size() + 32 * entries_.size(); }
  /// Memory in use, roughly, in bytes.
  size_t cost() const { return text_.capacity() + entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    uint32_t begin = 0;  // of the name in the text; the value follows it
    uint32_t name = 0;   // lengths
    uint32_t value = 0;
    bool never_indexed = false;
  };
  std::string_view view(size_t begin, size_t length) const {
    return std::string_view(text_).substr(begin, length);
  }

  std::string text_;
  std::vector<Entry> entries_;
};

/// The first value under `name`, if any.
std::optional<std::string_view> value_of(const FieldSection& fields, std::string_view name);

}  // namespace breakwire::http2
