// The length-prefixed messages of gRPC within a stream's DATA (grpc/grpc doc/PROTOCOL-HTTP2.md): counted and
// measured, never kept. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "faults/http2/frame.h"

namespace breakwire::http2 {

class MessageCounter {
 public:
  struct Message {
    uint64_t index = 0;  // from 0
    uint64_t size = 0;   // without the five-byte prefix
    bool operator==(const Message&) const = default;
  };

  /// Reads up to and including the last byte of the next message, or all of `bytes` when it does not end in
  /// them; `bytes` is what is left afterwards.
  std::optional<Message> next(Bytes& bytes);
  static constexpr size_t prefix_size = 5;  // compressed flag, length as 32 bits big-endian

  /// True between two messages.
  bool between() const { return prefix_read_ == 0; }
  /// Of the message that has begun, or else the next one.
  uint64_t index() const { return index_; }
  /// The size of the message that has begun, without its prefix, once that has been read.
  std::optional<uint64_t> size() const {
    return prefix_read_ == prefix_size ? std::optional(size_) : std::nullopt;
  }

 private:
  uint8_t prefix_[prefix_size] = {};
  size_t prefix_read_ = 0;
  uint64_t size_ = 0;
  uint64_t left_ = 0;
  uint64_t index_ = 0;
};

}  // namespace breakwire::http2
