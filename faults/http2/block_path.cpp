#include "faults/http2/block_path.h"

#include <algorithm>

namespace breakwire::http2 {
namespace {

/// None of the frames is larger than the receiver accepts now: the block may have waited since it was cut, or
/// its sender have been told of another frame size.
bool frames_fit(std::string_view frames, uint32_t max_frame_size) {
  while (frames.size() > frame_header_size + max_frame_size) {
    const auto header = parse_frame_header(reinterpret_cast<const uint8_t*>(frames.data()));
    if (header.length > max_frame_size) return false;
    frames.remove_prefix(frame_header_size + header.length);
  }
  return true;
}

}  // namespace

std::string FieldBlock::fragment() const {
  if (kept_) return kept_fragment_;
  std::string all;
  for (std::string_view part : *view_.fragments) all.append(part);
  return all;
}

void FieldBlock::keep() {
  if (kept_ || view_.fragments == nullptr) return;
  kept_fragment_ = fragment();
  kept_frames_ = view_.frames;
  kept_ = true;
  view_ = {};
}

void BlockPath::write(std::string& out, const FieldBlock& block, const FieldSection& fields, StreamId id,
                      bool end_stream, uint32_t max_frame_size) {
  if (!encoder_ && block.number == written_ && block.number >= limited_from_) {
    ++written_;
    smallest_limit_.reset();  // the sender's own update is in this block
    table_size_ = block.table_size;
    if (id == block.stream && end_stream == block.end_stream && frames_fit(block.frames(), max_frame_size)) {
      out.append(block.frames());
    } else {
      append_field_block(out, id, block.fragment(), end_stream, max_frame_size);
    }
    return;
  }
  write_edited(out, fields.list(), id, end_stream, max_frame_size);
}

void BlockPath::write_edited(std::string& out, const faults::Metadata& fields, StreamId id, bool end_stream,
                             uint32_t max_frame_size) {
  if (!encoder_) encoder_.emplace(table_limit_);
  append_field_block(out, id, encoder_->encode(fields), end_stream, max_frame_size);
}

void BlockPath::inject(std::string& out, const faults::Metadata& fields, StreamId id, bool end_stream,
                       uint32_t max_frame_size) {
  std::string block;
  // A size update of ours lets the receiver expect one where the sender, whose table may be smaller, owes
  // none.
  const bool takes_over = !encoder_ && smallest_limit_.has_value();
  if (takes_over) encoder_.emplace(table_limit_);
  if (encoder_) {
    block = encoder_->encode(fields);
  } else {
    block = encode_literally(fields);
  }
  append_field_block(out, id, block, end_stream, max_frame_size);
}

void BlockPath::set_table_limit(uint32_t limit) {
  if (limit < table_limit_) limited_from_ = arrived_;
  if (limit < table_size_) smallest_limit_ = std::min(limit, smallest_limit_.value_or(limit));
  table_limit_ = limit;
  if (encoder_) encoder_->set_table_limit(limit);
}

}  // namespace breakwire::http2
