#include "faults/relay/protocol_sniffer.h"

#include <algorithm>
#include <utility>

namespace breakwire::relay {
namespace {

using faults::Protocol;
using http2::Side;

constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t frame_header = 9;
static_assert(preface.size() == 24);

uint8_t byte_at(std::string_view bytes, size_t index) { return static_cast<uint8_t>(bytes[index]); }

/// A TLS record, as far as it is there, that carries a ClientHello: handshake (22), version 3.0 to 3.4,
/// length, client_hello (1).
bool fits_client_hello(std::string_view bytes) {
  return (bytes.size() < 1 || byte_at(bytes, 0) == 22) && (bytes.size() < 2 || byte_at(bytes, 1) == 3) &&
         (bytes.size() < 3 || byte_at(bytes, 2) <= 4) && (bytes.size() < 6 || byte_at(bytes, 5) == 1);
}

}  // namespace

std::optional<Protocol> protocol_spoken(std::string_view first_bytes) {
  const auto compared = std::min(first_bytes.size(), preface.size());
  if (first_bytes.substr(0, compared) == preface.substr(0, compared)) {
    if (compared < preface.size()) return std::nullopt;
    return Protocol::http2;
  }
  if (!fits_client_hello(first_bytes)) return Protocol::tcp;
  if (first_bytes.size() < 6) return std::nullopt;
  return Protocol::tls;
}

bool may_be_http2_server(std::string_view first_bytes) {
  const auto size = first_bytes.size();
  if (size >= 1 && byte_at(first_bytes, 0) != 0) return false;  // no server has 65536 bytes of settings
  if (size >= 3 && ((byte_at(first_bytes, 1) << 8) | byte_at(first_bytes, 2)) % 6 != 0) return false;
  if (size >= 4 && byte_at(first_bytes, 3) != 4) return false;  // SETTINGS
  for (size_t index = 4; index < std::min(size, frame_header); ++index) {
    if (byte_at(first_bytes, index) != 0) return false;  // flags, stream
  }
  return true;
}

void ProtocolSniffer::read(Side from, std::string_view bytes) {
  collected_[static_cast<size_t>(from)].append(bytes);
}

std::optional<Protocol> ProtocolSniffer::protocol() const {
  const auto& [downstream, upstream] = collected_;
  if (!downstream.empty()) {
    if (const auto spoken = protocol_spoken(downstream)) return spoken;
    if (downstream_ended_) return Protocol::tcp;
  }
  if (!upstream.empty() && (downstream_ended_ || !may_be_http2_server(upstream))) return Protocol::tcp;
  return std::nullopt;
}

std::string ProtocolSniffer::take(Side from) {
  return std::exchange(collected_[static_cast<size_t>(from)], {});
}

void Http2Opening::read(std::string_view bytes) {
  total_ += bytes.size();
  constexpr auto needed = preface.size() + frame_header;
  if (first_.size() < needed) first_.append(bytes.substr(0, needed - first_.size()));
}

bool Http2Opening::half_done() const {
  return total_ > 0 && preface.starts_with(std::string_view(first_).substr(0, preface.size())) && !done();
}

bool Http2Opening::done() const {
  if (first_.size() < preface.size() + frame_header) return false;
  const auto length = (uint64_t{byte_at(first_, 24)} << 16) | (uint64_t{byte_at(first_, 25)} << 8) |
                      uint64_t{byte_at(first_, 26)};
  return total_ >= preface.size() + frame_header + length;
}

}  // namespace breakwire::relay
