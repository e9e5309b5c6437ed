// One direction's field blocks on their way (RELAY.md rule 1): verbatim as long as the receiver has got every
// block the sender sent, in order; re-encoded from the first one on that was withheld, edited or overtaken.
// Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "faults/http2/field_section.h"
#include "faults/http2/frame_reader.h"
#include "faults/http2/hpack.h"
#include "faults/metadata.h"

namespace breakwire::http2 {

/// A field block in the relay's hands: a view of the input, or, once it has to wait, a copy.
class FieldBlock {
 public:
  FieldBlock() = default;
  FieldBlock(uint64_t arrival_number, const BlockView& block, uint32_t table_size_after = default_table_size)
      : number(arrival_number),
        stream(block.stream),
        end_stream(block.end_stream),
        table_size(table_size_after),
        view_(block) {}

  uint64_t number = 0;  // in order of arrival, from 0
  StreamId stream = 0;  // as its sender numbers it
  bool end_stream = false;
  uint32_t table_size = default_table_size;  // its sender's, behind this block

  /// The frames as they came.
  std::string_view frames() const { return kept_ ? std::string_view{kept_frames_} : view_.frames; }
  /// The HPACK bytes alone.
  std::string fragment() const;
  /// Makes it outlive the input.
  void keep();
  size_t cost() const { return kept_frames_.size() + kept_fragment_.size(); }

 private:
  BlockView view_;
  bool kept_ = false;
  std::string kept_frames_;
  std::string kept_fragment_;
};

class BlockPath {
 public:
  /// The number of the block that has just been decoded. Blocks that are never written need no further
  /// notice: their number is missing, and the next block is re-encoded.
  uint64_t arrived() { return arrived_++; }

  /// Writes `block`, whose decoded fields are `fields`, for stream `id`, with END_STREAM or without.
  void write(std::string& out, const FieldBlock& block, const FieldSection& fields, StreamId id,
             bool end_stream, uint32_t max_frame_size);
  /// Writes a block whose fields are not those it arrived with.
  void write_edited(std::string& out, const faults::Metadata& fields, StreamId id, bool end_stream,
                    uint32_t max_frame_size);
  /// Writes a block of the relay's own.
  void inject(std::string& out, const faults::Metadata& fields, StreamId id, bool end_stream,
              uint32_t max_frame_size);
  /// The receiver's SETTINGS_HEADER_TABLE_SIZE, once its acknowledgement was forwarded to it.
  void set_table_limit(uint32_t limit);
  bool diverged() const { return encoder_.has_value(); }

 private:
  uint64_t arrived_ = 0;
  uint64_t written_ = 0;  // blocks written verbatim so far
  uint32_t table_limit_ = default_table_size;
  uint32_t table_size_ = default_table_size;  // the receiver's table, by what was written to it
  uint64_t limited_from_ = 0;                 // blocks before this one were encoded for an older limit
  // Below the receiver's table size, since the last block: it waits for a size update. Where there is none of
  // its sender's to come, whose table is small already, we must not make the receiver's larger.
  std::optional<uint32_t> smallest_limit_;
  std::optional<FieldEncoder> encoder_;
};

}  // namespace breakwire::http2
