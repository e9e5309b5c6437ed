// What a raw peer reads, and whether it was allowed.
#include <algorithm>
#include <utility>

#include "tests/faults/transparency/raw_octets.h"
#include "tests/faults/transparency/raw_peer.h"

namespace breakwire::http2::testing {

using namespace raw;

void RawPeer::input(std::span<const uint8_t> bytes) {
  in_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string_view rest = in_;
  if (!preface_read_ && rest.size() >= preface.size()) {
    if (!rest.starts_with(preface)) complain("no preface");
    rest.remove_prefix(preface.size());
    preface_read_ = true;
  }
  while (preface_read_ && rest.size() >= 9) {
    const size_t length = number_in(rest, 0, 3);
    if (rest.size() < 9 + length) break;
    on_frame(static_cast<uint8_t>(rest[3]), static_cast<uint8_t>(rest[4]), number_in(rest, 5, 4) & last_id,
             std::string(rest.substr(9, length)));
    rest.remove_prefix(9 + length);
  }
  in_ = std::string(rest);
}

bool RawPeer::idle(uint32_t id) const { return id % 2 == 0 || id > last_opened_; }

void RawPeer::on_frame(uint8_t type, uint8_t flags, uint32_t id, const std::string& payload) {
  uint32_t largest = mine_.max_frame;
  for (const Settings& settings : unacked_) {
    for (const auto& [setting, value] : settings) {
      if (setting == MAX_FRAME) largest = std::max(largest, value);
    }
  }
  if (payload.size() > largest) complain("a frame of " + std::to_string(payload.size()));
  if (block_stream_ != 0 && type != CONTINUATION) complain("a block is interrupted");
  if (got.empty() && type != SETTINGS) complain("SETTINGS do not come first");
  switch (type) {
    case DATA:
      return on_data(flags, id, payload);
    case HEADERS:
    case CONTINUATION:
      return on_fragment(type, flags, id, payload);
    case RST_STREAM: {
      if (!streams.contains(id)) return complain("RST_STREAM on " + std::to_string(id));
      streams[id].got_reset = true;
      got.push_back({.kind = Travelled::Kind::reset, .stream = id, .code = number_in(payload, 0, 4)});
      return;
    }
    case SETTINGS:
      return on_settings(flags, payload);
    case PING:
      if (flags & ACK) {
        got.push_back({.kind = Travelled::Kind::ping_ack, .bytes = payload});
        if (unanswered_.empty() || unanswered_.front() != payload)
          return complain("a PING's ack out of turn");
        unanswered_.pop_front();
      } else {
        got.push_back({.kind = Travelled::Kind::ping, .bytes = payload});
        pings_to_ack_.push_back(payload);
      }
      return;
    case GOAWAY:
      return on_goaway(payload);
    case WINDOW_UPDATE:
      return on_window_update(id, payload);
    case PUSH_PROMISE:
      return complain("PUSH_PROMISE");
    default:
      ++ignored;
  }
}

void RawPeer::on_data(uint8_t flags, uint32_t id, const std::string& payload) {
  const auto flow = static_cast<int64_t>(payload.size());
  connection.receive_window -= flow;
  connection.consumed += flow;
  if (connection.receive_window < 0) complain("DATA beyond the connection's window");
  if (!streams.contains(id)) return complain("DATA on " + std::to_string(id));
  Stream& stream = streams[id];
  stream.receive_window -= flow;
  stream.consumed += flow;
  stream.got_flow += payload.size();
  if (stream.got_end || stream.got_reset) complain("DATA on " + std::to_string(id) + ", which has ended");
  if (stream.receive_window < 0 && flow > 0) complain("DATA beyond the window of " + std::to_string(id));
  size_t before = 0, after = 0;
  if (flags & PADDED) {
    before = 1;
    after = static_cast<uint8_t>(payload.at(0));
  }
  if (before + after > payload.size()) return complain("padding beyond its frame");
  std::string bytes = payload.substr(before, payload.size() - before - after);
  const bool ends = flags & END_STREAM;
  stream.got_end |= ends;
  if (bytes.empty() && !ends) return;
  got.push_back({.kind = Travelled::Kind::data, .stream = id, .bytes = std::move(bytes), .end = ends});
}

void RawPeer::on_fragment(uint8_t type, uint8_t flags, uint32_t id, std::string payload) {
  if (type == HEADERS) {
    block_.clear();
    block_stream_ = id;
    block_end_ = flags & END_STREAM;
    const size_t after = flags & PADDED ? static_cast<uint8_t>(payload.at(0)) : 0;
    const size_t before = (flags & PADDED ? 1 : 0) + (flags & WITH_PRIORITY ? 5 : 0);
    if (before + after > payload.size()) return complain("padding beyond its frame");
    payload = payload.substr(before, payload.size() - before - after);
  } else if (id != block_stream_) {
    complain("CONTINUATION of another stream");
  }
  block_ += payload;
  if (!(flags & END_HEADERS)) return;
  block_stream_ = 0;
  on_block(id, block_end_, block_);
}

void RawPeer::on_block(uint32_t id, bool end, const std::string& block) {
  faults::Metadata fields;
  const auto* at = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  for (int flags = 0; !(flags & NGHTTP2_HD_INFLATE_FINAL);) {
    nghttp2_nv field;
    flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, at, left, 1);
    if (used < 0) return complain("a block that cannot be decoded, on " + std::to_string(id));
    at += used;
    left -= static_cast<size_t>(used);
    if (!(flags & NGHTTP2_HD_INFLATE_EMIT)) continue;
    fields.push_back({std::string(reinterpret_cast<char*>(field.name), field.namelen),
                      std::string(reinterpret_cast<char*>(field.value), field.valuelen),
                      (field.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0});
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());

  if (!streams.contains(id)) {
    if (is_client() || id % 2 == 0 || id <= last_opened_) return complain("HEADERS on " + std::to_string(id));
    const auto live =
        std::count_if(streams.begin(), streams.end(), [](const auto& one) { return !one.second.over(); });
    if (mine_.max_streams && live >= static_cast<int64_t>(*mine_.max_streams)) {
      complain("a stream more than MAX_CONCURRENT_STREAMS: " + std::to_string(live));
    }
    last_opened_ = id;
    streams[id] = {.send_window = theirs_.initial_window,
                   .receive_window = mine_.initial_window,
                   .refused = sent_goaway && id > *sent_goaway,
                   .name = std::string(faults::value_of(fields, "x-id").value_or("nameless"))};
  }
  Stream& stream = streams[id];
  if (stream.got_end || stream.got_reset) complain("HEADERS on " + std::to_string(id) + ", which has ended");
  stream.got_end |= end;
  got.push_back({.kind = Travelled::Kind::block, .stream = id, .fields = std::move(fields), .end = end});
}

void RawPeer::on_settings(uint8_t flags, const std::string& payload) {
  if (flags & ACK) {
    got.push_back({.kind = Travelled::Kind::settings_ack});
    if (unacked_.empty()) return complain("an ACK of no SETTINGS");
    for (const auto& [id, value] : unacked_.front()) {
      if (id == TABLE_SIZE) nghttp2_hd_inflate_change_table_size(inflater_.get(), value);
      if (id == MAX_FRAME) mine_.max_frame = value;
      if (id == MAX_STREAMS) mine_.max_streams = value;
      if (id != INITIAL_WINDOW) continue;
      for (auto& [stream_id, stream] : streams) stream.receive_window += value - mine_.initial_window;
      mine_.initial_window = value;
    }
    unacked_.pop_front();
    return;
  }
  Settings settings;
  for (size_t at = 0; at + 6 <= payload.size(); at += 6) {
    settings.emplace_back(number_in(payload, at, 2), number_in(payload, at + 2, 4));
  }
  to_ack_.push_back(settings);
  got.push_back({.kind = Travelled::Kind::settings, .settings = std::move(settings)});
}

void RawPeer::on_window_update(uint32_t id, const std::string& payload) {
  const uint32_t n = number_in(payload, 0, 4) & last_id;
  if (n == 0) complain("WINDOW_UPDATE of 0");
  if (id != 0 && !streams.contains(id)) return complain("WINDOW_UPDATE on " + std::to_string(id));
  Stream& stream = id == 0 ? connection : streams[id];
  stream.send_window += n;
  stream.got_granted += n;
  if (stream.send_window > last_id) complain("a window beyond 2^31-1");
}

void RawPeer::on_goaway(const std::string& payload) {
  const uint32_t last = number_in(payload, 0, 4) & last_id;
  got.push_back({.kind = Travelled::Kind::goaway,
                 .bytes = payload.substr(8),
                 .code = number_in(payload, 4, 4),
                 .last = last});
  if (got_goaway && last > *got_goaway) complain("GOAWAY's last id rises");
  if (last == last_id || !is_client()) return;
  got_goaway = last;
  for (auto& [id, stream] : streams) stream.refused |= id > last && !stream.complete();
}

}  // namespace breakwire::http2::testing
