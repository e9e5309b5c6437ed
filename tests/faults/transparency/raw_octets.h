// RFC 9113 §6 and §6.5.2 written down once more, so that nothing here comes from what is tested.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace breakwire::http2::testing::raw {

enum : uint8_t {
  DATA,
  HEADERS,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  PUSH_PROMISE,
  PING,
  GOAWAY,
  WINDOW_UPDATE,
  CONTINUATION
};
enum : uint8_t { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, WITH_PRIORITY = 32 };
enum : uint16_t { TABLE_SIZE = 1, ENABLE_PUSH = 2, MAX_STREAMS = 3, INITIAL_WINDOW = 4, MAX_FRAME = 5 };

inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr uint32_t last_id = 0x7fffffff;

inline std::string number(uint64_t value, size_t octets) {
  std::string out;
  for (size_t i = octets; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

inline uint32_t number_in(std::string_view bytes, size_t at, size_t octets) {
  uint32_t value = 0;
  for (size_t i = 0; i < octets; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace breakwire::http2::testing::raw
