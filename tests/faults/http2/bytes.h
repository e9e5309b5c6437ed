// Literal bytes for tests: "00 00 05 | 01" in, a string out; and a sink that writes down what a reader cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "faults/http2/frame_reader.h"
#include "faults/http2/hpack.h"

namespace breakwire::http2::testing {

/// Decodes a block into a field list, whatever that held before.
inline FieldDecoder::Outcome decode(FieldDecoder& decoder, const std::vector<std::string_view>& fragments,
                                    size_t limit, faults::Metadata& fields) {
  FieldSection section;
  const auto outcome = decoder.decode(fragments, limit, section);
  fields = section.list();
  return outcome;
}

/// Hexadecimal digits in pairs; everything else is for the reader's eye.
inline std::string hex(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return out;
}

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// One frame with its header.
inline std::string frame(FrameType type, uint8_t flags, StreamId stream, std::string_view payload) {
  std::string out;
  append_frame(out, type, flags, stream, bytes_of(payload));
  return out;
}

inline std::string settings_frame(std::string_view payload = {}) {
  return frame(FrameType::settings, 0, 0, payload);
}

/// One line per call.
class WritingSink final : public FrameSink {
 public:
  bool on_preface() override { return line("preface"); }
  bool on_data(const DataPiece& piece) override {
    return line("data " + std::to_string(piece.stream) + " '" + text(piece.data) + "'" +
                (piece.last ? " last" : "") + (piece.end_stream ? " end" : "") +
                (piece.padded ? " padded " + std::to_string(piece.padding) : ""));
  }
  bool on_block(const BlockView& block) override {
    std::string all;
    for (std::string_view part : *block.fragments) all.append("[").append(part).append("]");
    return line("block " + std::to_string(block.stream) + " " + all + (block.end_stream ? " end" : "") +
                " of " + std::to_string(block.frames.size()));
  }
  bool on_control(const FrameHeader& header, Bytes payload) override {
    return line("control " + std::to_string(static_cast<int>(header.type)) + " " +
                std::to_string(header.stream) + " '" + text(payload) + "'");
  }
  bool on_ignored(const FrameHeader& header) override {
    return line("ignored " + std::to_string(static_cast<int>(header.type)));
  }
  void on_violation(Http2Error code, const std::string& what) override {
    line("violation " + to_text(code) + ": " + what);
  }
  void on_limit(const char* option) override { line(std::string("limit ") + option); }

  std::vector<std::string> lines;

 private:
  static std::string text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  bool line(std::string text) {
    lines.push_back(std::move(text));
    return true;
  }
};

}  // namespace breakwire::http2::testing
