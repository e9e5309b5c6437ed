// An HPACK encoder that takes every liberty RFC 7541 gives an encoder, at random: dynamic-table references,
// literals with, without and never indexing, Huffman or not, names by reference or spelt out, size updates
// where nobody asked for them. Shares no code with faults/http2.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/rng.h"
#include "faults/metadata.h"

namespace breakwire::http2::testing {

class HpackWriter {
 public:
  explicit HpackWriter(Rng& rng) : rng_(rng) {}

  /// The receiver's SETTINGS_HEADER_TABLE_SIZE, from its acknowledgement on (RFC 7541 §4.2).
  void set_limit(uint32_t limit);
  /// One field block; fields marked `never_indexed` are written so, and no others.
  std::string block(const faults::Metadata& fields);

 private:
  struct Entry {
    std::string name, value;
    size_t size() const { return name.size() + value.size() + 32; }
  };

  uint64_t pick(uint64_t n) { return rng_.next() % n; }
  void resize(std::string& out, uint32_t size);
  void evict();
  void literal(std::string& out, uint8_t pattern, uint8_t prefix, const faults::Field& field);
  void text(std::string& out, const std::string& text);
  /// Indices into both tables (§2.3.3) at which the field, or its name, is to be found; 0: nowhere.
  size_t index_of(const faults::Field& field) const;
  size_t index_of_name(const std::string& name) const;

  Rng& rng_;
  std::deque<Entry> table_;  // the newest first
  size_t used_ = 0;
  uint32_t size_ = 4096;
  uint32_t limit_ = 4096;
  std::optional<uint32_t> smallest_;  // the limit fell below `size_` since the last block
};

}  // namespace breakwire::http2::testing
