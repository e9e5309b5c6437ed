// What travelled in one direction of a connection, in order: as its sender meant it, or as its receiver
// decoded it. Frames that may be dropped (PRIORITY, unknown types) and WINDOW_UPDATEs are not in it.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "faults/metadata.h"

namespace breakwire::http2::testing {

struct Travelled {
  enum class Kind { block, data, reset, settings, settings_ack, ping, ping_ack, goaway };
  Kind kind = Kind::data;
  uint32_t stream = 0;
  faults::Metadata fields{};  // block: in order, duplicates and never-indexed marks included
  std::string bytes{};        // data; PING's payload; GOAWAY's debug data
  bool end = false;           // END_STREAM
  uint32_t code = 0;          // reset and GOAWAY
  uint32_t last = 0;          // GOAWAY
  std::vector<std::pair<uint16_t, uint32_t>> settings{};
  bool operator==(const Travelled&) const = default;
};

using Transcript = std::vector<Travelled>;

/// The part that `keep` lets pass. DATA of a stream that follows on DATA of the same is one, for frames'
/// bounds mean nothing.
inline Transcript selected(const Transcript& all, const std::function<bool(const Travelled&)>& keep) {
  Transcript some;
  for (const Travelled& one : all) {
    if (!keep(one)) continue;
    const bool joins = one.kind == Travelled::Kind::data && !some.empty() &&
                       some.back().kind == Travelled::Kind::data && some.back().stream == one.stream;
    if (!joins) {
      some.push_back(one);
      continue;
    }
    some.back().bytes += one.bytes;
    some.back().end = one.end;
  }
  return some;
}

inline std::string printable(const std::string& bytes) {
  std::string out;
  for (const char c : bytes.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '.';
  return bytes.size() > 40 ? out + "… (" + std::to_string(bytes.size()) + ")" : out;
}

inline void PrintTo(const Travelled& one, std::ostream* out) {
  constexpr const char* names[] = {"HEADERS", "DATA", "RST_STREAM", "SETTINGS",
                                   "ACK",     "PING", "PING ACK",   "GOAWAY"};
  *out << names[static_cast<int>(one.kind)] << " on " << one.stream;
  for (const auto& field : one.fields) {
    *out << " {" << field.name << ": " << printable(field.value) << (field.never_indexed ? " (never)" : "")
         << "}";
  }
  if (!one.bytes.empty()) *out << " '" << printable(one.bytes) << "' of " << one.bytes.size();
  for (const auto& [id, value] : one.settings) *out << " " << id << "=" << value;
  if (one.kind == Travelled::Kind::goaway) *out << " last " << one.last;
  if (one.code != 0) *out << " code " << one.code;
  if (one.end) *out << " END_STREAM";
}

}  // namespace breakwire::http2::testing
