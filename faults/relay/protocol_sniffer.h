// Which protocol a connection speaks, told from the first bytes of each side. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "faults/http2/session.h"
#include "faults/observation.h"

namespace breakwire::relay {

/// From all bytes the dialling peer has sent so far. Nothing while they may still become HTTP/2's preface
/// (RFC 9113 §3.4) or a TLS ClientHello (RFC 8446 §4, §5.1); an answer never changes with more bytes.
std::optional<faults::Protocol> protocol_spoken(std::string_view first_bytes);

/// Whether the answering peer, heard first, may be an HTTP/2 server: its first frame is SETTINGS, without
/// ACK, on stream 0. Once false it stays false.
bool may_be_http2_server(std::string_view first_bytes);

/// Collects what is read until the protocol is known. Who speaks first is no answer in itself: a server of
/// HTTP/2 need not wait for the client's preface; so its SETTINGS are kept until the client has spoken, and
/// anything else from upstream means a server-first protocol and passes at once.
class ProtocolSniffer {
 public:
  void read(http2::Side from, std::string_view bytes);
  /// Downstream will send nothing more, so what it began will not become anything else.
  void downstream_ended() { downstream_ended_ = true; }

  std::optional<faults::Protocol> protocol() const;
  size_t collected(http2::Side from) const { return collected_[static_cast<size_t>(from)].size(); }
  std::string take(http2::Side from);

 private:
  std::array<std::string, 2> collected_;
  bool downstream_ended_ = false;
};

/// Has an HTTP/2 client sent its whole opening, preface and SETTINGS?
class Http2Opening {
 public:
  void read(std::string_view bytes);
  /// It has begun and is not whole yet.
  bool half_done() const;
  bool done() const;

 private:
  std::string first_;  // up to the header of the SETTINGS frame
  uint64_t total_ = 0;
};

}  // namespace breakwire::relay
