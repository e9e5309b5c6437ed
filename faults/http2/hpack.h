// Field blocks (HPACK, RFC 7541) by libnghttp2's inflater and deflater, with a bound on what a block may
// unfold to. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/http2/field_section.h"
#include "faults/metadata.h"

struct nghttp2_hd_inflater;
struct nghttp2_hd_deflater;

namespace breakwire::http2 {

/// Decodes one direction's blocks, all of them, in order of arrival (RFC 9113 §4.3).
class FieldDecoder {
 public:
  FieldDecoder();
  ~FieldDecoder();
  FieldDecoder(FieldDecoder&&) noexcept;

  enum class Outcome { ok, compression_error, too_large };
  /// `fragments` are the block, in order. `too_large` as soon as the list, +32 per field (RFC 9113 §10.5.1),
  /// exceeds `limit`; after that, or an error, the decoder is of no more use. What `fields` held is replaced.
  Outcome decode(const std::vector<std::string_view>& fragments, size_t limit, FieldSection& fields);
  /// The limit that the encoder has acknowledged (SETTINGS_HEADER_TABLE_SIZE). Of a smaller one and a larger
  /// one without a block between, it must say both (RFC 7541 §4.2). gRPC's C-core says the larger one only,
  /// though the smaller one has emptied its table, or nothing when it never came to obey the smaller one:
  /// both are understood here and for the receiver to judge.
  void set_table_limit(uint32_t limit);
  /// The size that the sender, by its size updates so far, gives its table (RFC 7541 §6.3).
  uint32_t table_size() const;

 private:
  void obey_limits(bool update_follows);
  void say_table_size(uint32_t size);

  struct Free {
    void operator()(nghttp2_hd_inflater* inflater) const;
  };
  std::unique_ptr<nghttp2_hd_inflater, Free> inflater_;  // made at the first block
  uint32_t limit_ = 4096;                                // the last one
  std::optional<uint32_t> owed_;                         // the smallest one since the last block
};

/// Encodes blocks for a decoder whose table holds whatever others left there: the first block empties it.
class FieldEncoder {
 public:
  explicit FieldEncoder(uint32_t table_limit);
  ~FieldEncoder();
  FieldEncoder(FieldEncoder&&) noexcept;

  std::string encode(const faults::Metadata& fields);
  void set_table_limit(uint32_t limit);

 private:
  struct Free {
    void operator()(nghttp2_hd_deflater* deflater) const;
  };
  std::unique_ptr<nghttp2_hd_deflater, Free> deflater_;
};

/// A block that neither uses nor changes the decoder's dynamic table: literals without indexing (RFC 7541
/// §6.2.2), never-indexed fields as such (§6.2.3), no Huffman coding.
std::string encode_literally(const faults::Metadata& fields);
/// Dynamic table size updates (§6.3), due at the beginning of the first block after the limit became smaller:
/// the smallest, and, if it is another, the last (§4.2).
void append_table_size_updates(std::string& out, uint32_t smallest, uint32_t last);

}  // namespace breakwire::http2
