// Cuts a peer's bytes into frames, in pieces of any size. DATA is never waited for: what is there of a frame
// is handed on at once (RELAY.md rule 3), since C-core announces frames of 4 MiB. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faults/http2/frame.h"

namespace breakwire::http2 {

/// A part of a DATA frame, as far as it has arrived.
struct DataPiece {
  StreamId stream = 0;
  Bytes data;         // valid during the call only
  bool last = false;  // the frame ends here; only then the next three mean anything
  bool end_stream = false;
  bool padded = false;
  uint8_t padding = 0;
  /// What it takes of the flow-control windows: padding and its length byte count (RFC 9113 §6.1).
  size_t flow() const { return data.size() + (last && padded ? size_t{1} + padding : 0); }
};

/// A whole field block: HEADERS and its CONTINUATIONs.
struct BlockView {
  StreamId stream = 0;
  bool end_stream = false;
  std::string_view frames;                                   // as they came, padding and priority included
  const std::vector<std::string_view>* fragments = nullptr;  // the block, in order; views into `frames`
};

/// What a reader tells. Each call answers whether to go on reading; all views live during the call only.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual bool on_preface() = 0;
  virtual bool on_data(const DataPiece& piece) = 0;
  virtual bool on_block(const BlockView& block) = 0;
  /// RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE: of sound length and stream.
  virtual bool on_control(const FrameHeader& header, Bytes payload) = 0;
  /// PRIORITY and unknown types: their payload is passed over.
  virtual bool on_ignored(const FrameHeader& header) = 0;
  /// The reader stops after these.
  virtual void on_violation(Http2Error code, const std::string& what) = 0;
  virtual void on_limit(const char* option) = 0;
};

struct ReaderLimits {
  size_t field_block_bytes = 64 * 1024;
  size_t continuations = 16;
};

class FrameReader {
 public:
  /// With `preface`, the client connection preface (§3.4) comes first.
  FrameReader(ReaderLimits limits, bool preface);

  /// False once the sink has said stop or the bytes are not HTTP/2; nothing is read any more then.
  bool feed(Bytes bytes, FrameSink& sink);

 private:
  enum class State { preface, header, control, data, block, skip };

  bool fail(FrameSink& sink, Http2Error code, const std::string& what);
  bool begin_frame(FrameSink& sink);
  bool begin_data(FrameSink& sink);
  bool begin_block_frame(FrameSink& sink);
  bool begin_control(FrameSink& sink);
  bool read_preface(Bytes& bytes, FrameSink& sink);
  bool read_header(Bytes& bytes, FrameSink& sink);
  bool read_control(Bytes& bytes, FrameSink& sink);
  bool read_data(Bytes& bytes, FrameSink& sink);
  bool read_block(Bytes& bytes, FrameSink& sink);
  bool finish_block_frame(FrameSink& sink);

  ReaderLimits limits_;
  State state_;
  bool stopped_ = false;
  bool begun_ = false;  // SETTINGS, which come first (§3.4)
  size_t preface_read_ = 0;
  uint8_t header_bytes_[frame_header_size] = {};
  size_t header_read_ = 0;
  FrameHeader header_;
  std::string payload_;  // of a control frame that came in pieces
  size_t left_ = 0;      // bytes of the frame's payload still to come
  bool pad_known_ = false;
  size_t padding_ = 0;
  size_t padding_left_ = 0;
  struct Span {
    size_t offset = 0;
    size_t length = 0;
  };
  StreamId block_stream_ = 0;  // not 0: CONTINUATION is due
  bool block_end_stream_ = false;
  size_t block_frames_ = 0;
  std::string block_;            // frames as they came
  std::vector<Span> fragments_;  // within block_
  std::vector<std::string_view> views_;
};

}  // namespace breakwire::http2
