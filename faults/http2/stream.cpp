#include "faults/http2/stream.h"

namespace breakwire::http2 {

void Item::keep() {
  block.keep();
  kept.assign(reinterpret_cast<const char*>(input.data()), input.size());
  input = {};
}

size_t Item::cost() const {
  size_t sum = sizeof(Item) + kept.size() + block.cost();
  for (const auto& field : fields) sum += sizeof(field) + field.name.size() + field.value.size();
  return sum;
}

}  // namespace breakwire::http2
