// What the tests of RELAY.md's rules share. There is a file for each rule, and a suite of the rule's number
// and name in it: relay_rules_test --gtest_filter='RelayRule07*'. They tell the rules of the session, peer by
// peer and byte by byte; what needs sockets is in http2_transparency_test under the same names.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "faults/http2/settings.h"
#include "tests/faults/http2/wire.h"

namespace breakwire::http2::testing {

class RuleTest : public ::testing::Test {
 protected:
  RuleTest() { wire.begin(); }

  Wire wire;
};

inline const std::string settings_ack = frame(FrameType::settings, flag::ack, 0, "");

inline std::string setting(uint16_t id, uint32_t value) {
  return settings_frame(serialise({{static_cast<SettingId>(id), value}}));
}

/// HEADERS by a sender that indexes.
inline std::string block(FieldEncoder& sender, StreamId id, const faults::Metadata& fields, bool end) {
  std::string out;
  append_field_block(out, id, sender.encode(fields), end, 16'384);
  return out;
}

/// The field blocks among some frames, as a receiver reads them that has read all before; none is split.
inline std::vector<faults::Metadata> blocks_in(const std::string& frames, FieldDecoder& receiver) {
  std::vector<faults::Metadata> found;
  for (size_t at = 0; at + frame_header_size <= frames.size();) {
    const FrameHeader header = parse_frame_header(bytes_of(frames).data() + at);
    const std::string_view payload = std::string_view(frames).substr(at + frame_header_size, header.length);
    at += frame_header_size + header.length;
    if (header.type != FrameType::headers) continue;
    EXPECT_EQ(decode(receiver, {payload}, 100'000, found.emplace_back()), FieldDecoder::Outcome::ok);
  }
  return found;
}

/// The streams of the HEADERS among some frames.
inline std::vector<StreamId> opened_in(const std::string& frames) {
  std::vector<StreamId> found;
  for (size_t at = 0; at + frame_header_size <= frames.size();) {
    const FrameHeader header = parse_frame_header(bytes_of(frames).data() + at);
    at += frame_header_size + header.length;
    if (header.type == FrameType::headers) found.push_back(header.stream);
  }
  return found;
}

inline faults::Ruling effect(faults::WireAction action, std::string by = "edit") {
  return {.effects = {{.by = {std::move(by)}, .action = std::move(action)}}};
}

}  // namespace breakwire::http2::testing
