// HTTP/2 frames as bytes (RFC 9113 §4 and §6): the header, and writers of whole frames. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status_code.h"

namespace breakwire::http2 {

using Bytes = std::span<const uint8_t>;

enum class FrameType : uint8_t {
  data = 0,
  headers = 1,
  priority = 2,
  rst_stream = 3,
  settings = 4,
  push_promise = 5,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9,
};

namespace flag {
constexpr uint8_t end_stream = 0x1;
constexpr uint8_t ack = 0x1;
constexpr uint8_t end_headers = 0x4;
constexpr uint8_t padded = 0x8;
constexpr uint8_t priority = 0x20;
}  // namespace flag

constexpr std::string_view client_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t frame_header_size = 9;
/// The largest stream id, and as GOAWAY's last id the promise of a later one (§6.8).
constexpr uint32_t max_stream_id = 0x7fffffff;
constexpr int64_t max_window = 0x7fffffff;
constexpr uint32_t default_window = 65'535;
constexpr uint32_t default_frame_size = 16'384;
constexpr uint32_t default_table_size = 4'096;

struct FrameHeader {
  uint32_t length = 0;  // 24 bits
  FrameType type = FrameType::data;
  uint8_t flags = 0;
  StreamId stream = 0;  // the reserved bit is not kept
  bool has(uint8_t bits) const { return (flags & bits) != 0; }
  bool operator==(const FrameHeader&) const = default;
};

/// `bytes` holds at least nine.
FrameHeader parse_frame_header(const uint8_t* bytes);
uint32_t read_u16(const uint8_t* bytes);
uint32_t read_u32(const uint8_t* bytes);
uint64_t read_u64(const uint8_t* bytes);
void append_u16(std::string& out, uint32_t value);
void append_u32(std::string& out, uint32_t value);

void append_frame_header(std::string& out, const FrameHeader& header);
/// A control frame with its payload as given.
void append_frame(std::string& out, FrameType type, uint8_t flags, StreamId stream, Bytes payload);
void append_rst_stream(std::string& out, StreamId stream, Http2Error code);
void append_window_update(std::string& out, StreamId stream, uint32_t increment);
void append_goaway(std::string& out, StreamId last, Http2Error code, std::string_view debug);
/// What comes before the data of a DATA frame of so many bytes of data: the header, and with `padded` the pad
/// length.
void append_data_begin(std::string& out, StreamId stream, size_t data, bool end_stream, bool padded = false,
                       uint8_t padding = 0);
/// One DATA frame; with `padded`, the pad length byte and `padding` zero bytes come along.
void append_data(std::string& out, StreamId stream, Bytes data, bool end_stream, bool padded = false,
                 uint8_t padding = 0);
/// HEADERS, and CONTINUATION frames when the block is larger than `max_frame_size`; without padding or
/// priority.
void append_field_block(std::string& out, StreamId stream, std::string_view block, bool end_stream,
                        uint32_t max_frame_size);

}  // namespace breakwire::http2
