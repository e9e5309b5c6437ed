#include "faults/http2/grpc_messages.h"

#include <algorithm>
#include <cstring>

namespace breakwire::http2 {

std::optional<MessageCounter::Message> MessageCounter::next(Bytes& bytes) {
  if (prefix_read_ < prefix_size) {
    const size_t n = std::min(prefix_size - prefix_read_, bytes.size());
    if (n > 0) std::memcpy(prefix_ + prefix_read_, bytes.data(), n);
    prefix_read_ += n;
    bytes = bytes.subspan(n);
    if (prefix_read_ < prefix_size) return std::nullopt;
    size_ = left_ = read_u32(prefix_ + 1);
  }
  const auto n = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  left_ -= n;
  bytes = bytes.subspan(n);
  if (left_ > 0) return std::nullopt;
  prefix_read_ = 0;
  return Message{index_++, size_};
}

}  // namespace breakwire::http2
