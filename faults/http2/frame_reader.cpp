#include "faults/http2/frame_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace breakwire::http2 {
namespace {

// Debug data of GOAWAY and a long SETTINGS are the only control payloads without a fixed size.
constexpr size_t max_control_payload = 64 * 1024;

}  // namespace

FrameReader::FrameReader(ReaderLimits limits, bool preface)
    : limits_(limits), state_(preface ? State::preface : State::header) {}

bool FrameReader::fail(FrameSink& sink, Http2Error code, const std::string& what) {
  stopped_ = true;
  sink.on_violation(code, what);
  return false;
}

bool FrameReader::feed(Bytes bytes, FrameSink& sink) {
  while (!stopped_ && !bytes.empty()) {
    bool go_on = true;
    switch (state_) {
      case State::preface:
        go_on = read_preface(bytes, sink);
        break;
      case State::header:
        go_on = read_header(bytes, sink);
        break;
      case State::control:
        go_on = read_control(bytes, sink);
        break;
      case State::data:
        go_on = read_data(bytes, sink);
        break;
      case State::block:
        go_on = read_block(bytes, sink);
        break;
      case State::skip: {
        const size_t n = std::min(left_, bytes.size());
        bytes = bytes.subspan(n);
        left_ -= n;
        if (left_ == 0) state_ = State::header;
        break;
      }
    }
    if (!go_on) stopped_ = true;
  }
  return !stopped_;
}

bool FrameReader::read_preface(Bytes& bytes, FrameSink& sink) {
  const size_t n = std::min(client_preface.size() - preface_read_, bytes.size());
  if (std::memcmp(bytes.data(), client_preface.data() + preface_read_, n) != 0) {
    return fail(sink, Http2Error::protocol_error, "the client connection preface is wrong");
  }
  bytes = bytes.subspan(n);
  preface_read_ += n;
  if (preface_read_ < client_preface.size()) return true;
  state_ = State::header;
  return sink.on_preface();
}

bool FrameReader::read_header(Bytes& bytes, FrameSink& sink) {
  const size_t n = std::min(frame_header_size - header_read_, bytes.size());
  std::memcpy(header_bytes_ + header_read_, bytes.data(), n);
  header_read_ += n;
  bytes = bytes.subspan(n);
  if (header_read_ < frame_header_size) return true;
  header_read_ = 0;
  header_ = parse_frame_header(header_bytes_);
  left_ = header_.length;
  return begin_frame(sink);
}

bool FrameReader::begin_frame(FrameSink& sink) {
  if (block_stream_ != 0 && (header_.type != FrameType::continuation || header_.stream != block_stream_)) {
    return fail(sink, Http2Error::protocol_error, "a field block was interrupted by another frame");
  }
  if (!begun_ && (header_.type != FrameType::settings || header_.has(flag::ack))) {
    return fail(sink, Http2Error::protocol_error, "the connection does not begin with SETTINGS");
  }
  begun_ = true;
  switch (header_.type) {
    case FrameType::data:
      return begin_data(sink);
    case FrameType::headers:
    case FrameType::continuation:
      return begin_block_frame(sink);
    case FrameType::rst_stream:
    case FrameType::settings:
    case FrameType::push_promise:
    case FrameType::ping:
    case FrameType::goaway:
    case FrameType::window_update:
      return begin_control(sink);
    case FrameType::priority:
      break;
  }
  if (!sink.on_ignored(header_)) return false;
  state_ = left_ == 0 ? State::header : State::skip;
  return true;
}

bool FrameReader::begin_data(FrameSink& sink) {
  if (header_.stream == 0) return fail(sink, Http2Error::protocol_error, "DATA on stream 0");
  pad_known_ = !header_.has(flag::padded);
  padding_ = padding_left_ = 0;
  if (!pad_known_ && left_ == 0)
    return fail(sink, Http2Error::frame_size_error, "DATA without its pad length");
  if (left_ > 0) {
    state_ = State::data;
    return true;
  }
  state_ = State::header;
  return sink.on_data(
      {.stream = header_.stream, .data = {}, .last = true, .end_stream = header_.has(flag::end_stream)});
}

bool FrameReader::read_data(Bytes& bytes, FrameSink& sink) {
  if (!pad_known_) {
    padding_ = padding_left_ = bytes[0];
    pad_known_ = true;
    bytes = bytes.subspan(1);
    if (--left_ < padding_)
      return fail(sink, Http2Error::protocol_error, "DATA with more padding than payload");
    if (left_ > 0 && bytes.empty()) return true;
  }
  DataPiece piece{.stream = header_.stream};
  const size_t data_left = left_ - padding_left_;
  piece.data = bytes.first(std::min(data_left, bytes.size()));
  bytes = bytes.subspan(piece.data.size());
  left_ -= piece.data.size();
  if (left_ == padding_left_) {
    const size_t skipped = std::min(padding_left_, bytes.size());
    bytes = bytes.subspan(skipped);
    padding_left_ -= skipped;
    left_ -= skipped;
  }
  if (left_ == 0) {
    piece.last = true;
    piece.end_stream = header_.has(flag::end_stream);
    piece.padded = header_.has(flag::padded);
    piece.padding = static_cast<uint8_t>(padding_);
    state_ = State::header;
  } else if (piece.data.empty()) {
    return true;
  }
  return sink.on_data(piece);
}

bool FrameReader::begin_block_frame(FrameSink& sink) {
  if (header_.type == FrameType::headers) {
    if (header_.stream == 0) return fail(sink, Http2Error::protocol_error, "HEADERS on stream 0");
    block_.clear();
    fragments_.clear();
    block_stream_ = header_.stream;
    block_end_stream_ = header_.has(flag::end_stream);
    block_frames_ = 0;
  } else if (block_stream_ == 0) {
    return fail(sink, Http2Error::protocol_error, "CONTINUATION without HEADERS");
  } else if (++block_frames_ > limits_.continuations) {
    stopped_ = true;
    sink.on_limit("continuations");
    return false;
  }
  if (block_.size() + left_ > limits_.field_block_bytes) {
    stopped_ = true;
    sink.on_limit("field_block_bytes");
    return false;
  }
  block_.append(reinterpret_cast<const char*>(header_bytes_), frame_header_size);
  state_ = State::block;
  return left_ > 0 || finish_block_frame(sink);
}

bool FrameReader::read_block(Bytes& bytes, FrameSink& sink) {
  const size_t n = std::min(left_, bytes.size());
  block_.append(reinterpret_cast<const char*>(bytes.data()), n);
  bytes = bytes.subspan(n);
  left_ -= n;
  return left_ > 0 || finish_block_frame(sink);
}

bool FrameReader::finish_block_frame(FrameSink& sink) {
  Span fragment{block_.size() - header_.length, header_.length};
  if (header_.type == FrameType::headers) {
    size_t padding = 0;
    const size_t before = (header_.has(flag::padded) ? 1u : 0u) + (header_.has(flag::priority) ? 5u : 0u);
    if (header_.has(flag::padded) && header_.length > 0)
      padding = static_cast<uint8_t>(block_[fragment.offset]);
    if (before + padding > fragment.length) {
      return fail(sink, Http2Error::protocol_error, "HEADERS shorter than its padding and priority");
    }
    fragment.offset += before;
    fragment.length -= before + padding;
  }
  fragments_.push_back(fragment);
  state_ = State::header;
  if (!header_.has(flag::end_headers)) return true;

  views_.clear();
  for (const Span& span : fragments_)
    views_.push_back(std::string_view{block_}.substr(span.offset, span.length));
  const BlockView view{block_stream_, block_end_stream_, block_, &views_};
  block_stream_ = 0;
  const bool go_on = sink.on_block(view);
  if (block_.capacity() > 4096) block_ = {};  // one large block does not stay with an idle connection
  return go_on;
}

bool FrameReader::begin_control(FrameSink& sink) {
  const auto wrong_size = [&](const char* name) {
    return fail(sink, Http2Error::frame_size_error, std::string(name) + " of a wrong length");
  };
  const auto wrong_stream = [&](const char* name) {
    return fail(sink, Http2Error::protocol_error, std::string(name) + " on a wrong stream");
  };
  switch (header_.type) {
    case FrameType::rst_stream:
      if (header_.stream == 0) return wrong_stream("RST_STREAM");
      if (left_ != 4) return wrong_size("RST_STREAM");
      break;
    case FrameType::settings:
      if (header_.stream != 0) return wrong_stream("SETTINGS");
      if (left_ % 6 != 0 || (header_.has(flag::ack) && left_ != 0)) return wrong_size("SETTINGS");
      break;
    case FrameType::ping:
      if (header_.stream != 0) return wrong_stream("PING");
      if (left_ != 8) return wrong_size("PING");
      break;
    case FrameType::goaway:
      if (header_.stream != 0) return wrong_stream("GOAWAY");
      if (left_ < 8) return wrong_size("GOAWAY");
      break;
    case FrameType::window_update:
      if (left_ != 4) return wrong_size("WINDOW_UPDATE");
      break;
    default:
      break;
  }
  if (left_ > max_control_payload) return wrong_size("a control frame");
  payload_.clear();
  state_ = State::control;
  if (left_ > 0) return true;
  state_ = State::header;
  return sink.on_control(header_, {});
}

bool FrameReader::read_control(Bytes& bytes, FrameSink& sink) {
  const size_t n = std::min(left_, bytes.size());
  const Bytes part = bytes.first(n);
  bytes = bytes.subspan(n);
  left_ -= n;
  if (left_ == 0) state_ = State::header;
  if (left_ == 0 && payload_.empty()) return sink.on_control(header_, part);  // whole: no copy
  payload_.append(reinterpret_cast<const char*>(part.data()), n);
  if (left_ > 0) return true;
  return sink.on_control(header_, {reinterpret_cast<const uint8_t*>(payload_.data()), payload_.size()});
}

}  // namespace breakwire::http2
