// The two peers of a fuzzed session: what they may expect of what comes out of it, whatever went in.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <set>

#include "faults/http2/hpack.h"
#include "tests/faults/http2/bytes.h"

namespace breakwire::http2::testing {

inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// What a receiver knows of one direction.
class Receiver final : public FrameSink {
 public:
  explicit Receiver(bool server) : server_(server), reader_({1u << 20, 1000}, server) {}
  void read(const std::string& bytes) { reader_.feed(bytes_of(bytes), *this); }
  /// The receiver's own WINDOW_UPDATE on the connection was read by the session.
  void grant(int64_t n) { window_ += n; }

  bool on_preface() override { return true; }
  bool on_data(const DataPiece& piece) override {
    window_ -= static_cast<int64_t>(piece.flow());
    must(window_ >= 0, "DATA beyond the receiver's window");
    must(!ended_.contains(piece.stream) && (!server_ || open_.contains(piece.stream)),
         "DATA on a stream that is not open");
    if (piece.last && piece.end_stream) end(piece.stream);
    return true;
  }
  bool on_block(const BlockView& block) override {
    faults::Metadata fields;
    must(decode(decoder_, *block.fragments, 1u << 24, fields) == FieldDecoder::Outcome::ok,
         "a block does not decode");
    if (server_ && block.stream > last_) {
      must(block.stream % 2 == 1, "an even stream id");
      last_ = block.stream;
      open_.insert(block.stream);
    } else if (!server_) {
      open_.insert(block.stream);
    }
    must(!ended_.contains(block.stream), "HEADERS on a stream that has ended");
    if (block.end_stream) end(block.stream);
    return true;
  }
  bool on_control(const FrameHeader& header, Bytes payload) override {
    if (header.type == FrameType::rst_stream) {
      if (server_) last_ = std::max(last_, header.stream);  // C-core resets what it has not opened
      end(header.stream);
    }
    if (header.type == FrameType::goaway && !server_) {
      const StreamId last = read_u32(payload.data()) & max_stream_id;
      must(last <= goaway_, "GOAWAY's last stream id rises");
      goaway_ = last;
    }
    must(!server_ || header.stream <= last_, "a frame on an idle stream");
    return true;
  }
  bool on_ignored(const FrameHeader&) override {
    must(false, "a frame that is not passed on");
    return true;
  }
  void on_violation(Http2Error, const std::string& what) override { must(false, what.c_str()); }
  void on_limit(const char* option) override { must(false, option); }

 private:
  void end(StreamId id) {
    open_.erase(id);
    ended_.insert(id);
  }
  bool server_;
  FrameReader reader_;
  FieldDecoder decoder_;
  int64_t window_ = default_window;
  StreamId last_ = 0;
  StreamId goaway_ = max_stream_id;
  std::set<StreamId> open_;
  std::set<StreamId> ended_;
};

/// Finds the connection's increments in what a peer sends.
class Grants final : public FrameSink {
 public:
  Grants(bool preface, Receiver& receiver) : reader_({}, preface), receiver_(receiver) {}
  void read(Bytes bytes) { reader_.feed(bytes, *this); }
  bool on_preface() override { return true; }
  bool on_data(const DataPiece&) override { return true; }
  bool on_block(const BlockView&) override { return true; }
  bool on_control(const FrameHeader& header, Bytes payload) override {
    if (header.type == FrameType::window_update && header.stream == 0) {
      receiver_.grant(read_u32(payload.data()) & max_stream_id);
    }
    return true;
  }
  bool on_ignored(const FrameHeader&) override { return true; }
  void on_violation(Http2Error, const std::string&) override {}
  void on_limit(const char*) override {}

 private:
  FrameReader reader_;
  Receiver& receiver_;
};

}  // namespace breakwire::http2::testing
