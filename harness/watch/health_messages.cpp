#include "harness/watch/health_messages.h"

namespace breakwire::watch {
namespace {

// protobuf.dev/programming-guides/encoding: base 128, least significant group first, at most ten bytes.
std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

bool skip(std::string_view& bytes, uint64_t count) {
  if (count > bytes.size()) return false;
  bytes.remove_prefix(count);
  return true;
}

bool skip_field(std::string_view& bytes, uint64_t wire_type) {
  switch (wire_type) {
    case 0:
      return take_varint(bytes).has_value();
    case 1:
      return skip(bytes, 8);
    case 2: {
      const auto length = take_varint(bytes);
      return length && skip(bytes, *length);
    }
    case 5:
      return skip(bytes, 4);
    default:
      return false;  // groups are of proto2
  }
}

}  // namespace

std::string health_request(std::string_view service) {
  if (service.empty()) return {};
  std::string bytes(1, '\x0a');
  for (uint64_t length = service.size();; length >>= 7) {
    const auto group = static_cast<unsigned char>(length & 0x7f);
    bytes += static_cast<char>(length > 0x7f ? group | 0x80 : group);
    if (length <= 0x7f) break;
  }
  return bytes.append(service);
}

std::optional<uint64_t> health_status(std::string_view response) {
  uint64_t status = 0;
  while (!response.empty()) {
    const auto key = take_varint(response);
    if (!key || (*key >> 3) == 0) return std::nullopt;
    if (*key == 0x08) {
      const auto value = take_varint(response);
      if (!value) return std::nullopt;
      status = *value;
    } else if (!skip_field(response, *key & 7)) {
      return std::nullopt;
    }
  }
  return status;
}

}  // namespace breakwire::watch
