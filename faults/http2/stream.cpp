#include "faults/http2/stream.h"

namespace breakwire::http2 {

void Item::keep() {
  block.keep();
  kept.assign(reinterpret_cast<const char*>(input.data()), input.size());
  input = {};
}

size_t Item::cost() const { return sizeof(Item) + kept.size() + block.cost() + fields.cost(); }

}  // namespace breakwire::http2
