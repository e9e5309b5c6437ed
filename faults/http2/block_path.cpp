#include "faults/http2/block_path.h"

namespace breakwire::http2 {

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

void BlockPath::write(std::string& out, const FieldBlock& block, const faults::Metadata& fields, StreamId id,
                      bool end_stream, uint32_t max_frame_size) {
  if (!encoder_ && block.number == written_) {
    ++written_;
    if (id == block.stream && end_stream == block.end_stream) {
      out.append(block.frames());
    } else {
      append_field_block(out, id, block.fragment(), end_stream, max_frame_size);
    }
    return;
  }
  if (!encoder_) encoder_.emplace(table_limit_);
  append_field_block(out, id, encoder_->encode(fields), end_stream, max_frame_size);
}

void BlockPath::inject(std::string& out, const faults::Metadata& fields, StreamId id, bool end_stream,
                       uint32_t max_frame_size) {
  const std::string block = encoder_ ? encoder_->encode(fields) : encode_literally(fields);
  append_field_block(out, id, block, end_stream, max_frame_size);
}

void BlockPath::set_table_limit(uint32_t limit) {
  table_limit_ = limit;
  if (encoder_) encoder_->set_table_limit(limit);
}

}  // namespace breakwire::http2
