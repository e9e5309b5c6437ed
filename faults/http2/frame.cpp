#include "faults/http2/frame.h"

#include <algorithm>

namespace breakwire::http2 {

uint32_t read_u16(const uint8_t* bytes) { return (uint32_t{bytes[0]} << 8) | bytes[1]; }

uint32_t read_u32(const uint8_t* bytes) { return (read_u16(bytes) << 16) | read_u16(bytes + 2); }

uint64_t read_u64(const uint8_t* bytes) { return (uint64_t{read_u32(bytes)} << 32) | read_u32(bytes + 4); }

void append_u16(std::string& out, uint32_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

void append_u32(std::string& out, uint32_t value) {
  const char bytes[] = {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                        static_cast<char>(value >> 8), static_cast<char>(value)};
  out.append(bytes, sizeof bytes);
}

FrameHeader parse_frame_header(const uint8_t* bytes) {
  return {.length = (read_u16(bytes) << 8) | bytes[2],
          .type = static_cast<FrameType>(bytes[3]),
          .flags = bytes[4],
          .stream = read_u32(bytes + 5) & max_stream_id};
}

void append_frame_header(std::string& out, const FrameHeader& header) {
  const char bytes[frame_header_size] = {
      static_cast<char>(header.length >> 16), static_cast<char>(header.length >> 8),
      static_cast<char>(header.length),       static_cast<char>(header.type),
      static_cast<char>(header.flags),        static_cast<char>(header.stream >> 24),
      static_cast<char>(header.stream >> 16), static_cast<char>(header.stream >> 8),
      static_cast<char>(header.stream)};
  out.append(bytes, sizeof bytes);
}

void append_frame(std::string& out, FrameType type, uint8_t flags, StreamId stream, Bytes payload) {
  append_frame_header(out, {static_cast<uint32_t>(payload.size()), type, flags, stream});
  out.append(reinterpret_cast<const char*>(payload.data()), payload.size());
}

void append_rst_stream(std::string& out, StreamId stream, Http2Error code) {
  append_frame_header(out, {4, FrameType::rst_stream, 0, stream});
  append_u32(out, static_cast<uint32_t>(code));
}

void append_window_update(std::string& out, StreamId stream, uint32_t increment) {
  append_frame_header(out, {4, FrameType::window_update, 0, stream});
  append_u32(out, increment);
}

void append_goaway(std::string& out, StreamId last, Http2Error code, std::string_view debug) {
  append_frame_header(out, {static_cast<uint32_t>(8 + debug.size()), FrameType::goaway, 0, 0});
  append_u32(out, last);
  append_u32(out, static_cast<uint32_t>(code));
  out.append(debug);
}

void append_data_begin(std::string& out, StreamId stream, size_t data, bool end_stream, bool padded,
                       uint8_t padding) {
  const size_t length = data + (padded ? size_t{1} + padding : 0);
  const int flags = (end_stream ? flag::end_stream : 0) | (padded ? flag::padded : 0);
  append_frame_header(out,
                      {static_cast<uint32_t>(length), FrameType::data, static_cast<uint8_t>(flags), stream});
  if (padded) out.push_back(static_cast<char>(padding));
}

void append_data(std::string& out, StreamId stream, Bytes data, bool end_stream, bool padded,
                 uint8_t padding) {
  append_data_begin(out, stream, data.size(), end_stream, padded, padding);
  out.append(reinterpret_cast<const char*>(data.data()), data.size());
  if (padded) out.append(padding, '\0');
}

void append_field_block(std::string& out, StreamId stream, std::string_view block, bool end_stream,
                        uint32_t max_frame_size) {
  bool first = true;
  do {
    const std::string_view part = block.substr(0, max_frame_size);
    block.remove_prefix(part.size());
    const int flags = (block.empty() ? flag::end_headers : 0) | (first && end_stream ? flag::end_stream : 0);
    append_frame_header(
        out, {static_cast<uint32_t>(part.size()), first ? FrameType::headers : FrameType::continuation,
              static_cast<uint8_t>(flags), stream});
    out.append(part);
    first = false;
  } while (!block.empty());
}

}  // namespace breakwire::http2
