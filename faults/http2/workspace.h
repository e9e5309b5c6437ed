// What sessions need during a turn only: those of one thread share it, so that a connection that is merely
// open keeps none of it, and busy ones need not allocate it anew. Pure.
#pragma once

#include <utility>
#include <vector>

#include "faults/http2/field_section.h"
#include "faults/http2/observation_log.h"

namespace breakwire::http2 {

class Workspace {
 public:
  ObservationLine line;

  /// A section to decode into.
  FieldSection take_fields() {
    if (fields_.empty()) return {};
    FieldSection fields = std::move(fields_.back());
    fields_.pop_back();
    return fields;
  }
  /// A section nobody needs any more: its memory serves the next, if there is not much of it.
  void give_back(FieldSection fields) {
    if (fields.empty() || fields.cost() > most_cost || fields_.size() >= most_sections) return;
    fields.clear();
    fields_.push_back(std::move(fields));
  }

 private:
  static constexpr size_t most_sections = 64;
  static constexpr size_t most_cost = 4096;  // bytes

  std::vector<FieldSection> fields_;
};

}  // namespace breakwire::http2
