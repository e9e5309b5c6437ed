// What a raw peer sends.
#include "tests/faults/transparency/raw_peer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tests/faults/transparency/raw_octets.h"

namespace breakwire::http2::testing {

using namespace raw;
namespace {

constexpr int64_t roomy = 250'000;  // no window is opened further than this

}  // namespace

RawPeer::RawPeer(Role role, uint64_t seed) : role_(role), rng_(seed), preface_read_(role == Role::client) {
  nghttp2_hd_inflater* raw = nullptr;
  nghttp2_hd_inflate_new(&raw);
  inflater_.reset(raw);
  connection.send_window = connection.receive_window = 65'535;
  if (is_client()) out_ = preface;
  some_settings();
}

void RawPeer::complain(const std::string& what) {
  complaints.push_back((is_client() ? "client: " : "server: ") + what);
}

RawPeer::Stream* RawPeer::any_stream(bool (*fits)(const Stream&), uint32_t& id) {
  std::vector<uint32_t> found;
  for (const auto& [number, stream] : streams) {
    if (!stream.over() && fits(stream)) found.push_back(number);
  }
  if (found.empty()) return nullptr;
  id = found[pick(found.size())];
  return &streams[id];
}

void RawPeer::act() {
  switch (pick(17)) {
    case 0:
      if (unacked_.size() < 3) some_settings();
      return;
    case 1:
    case 2:
      return acknowledge_settings();
    case 3:
      return some_control();
    case 4:
    case 5:
    case 6:
      return is_client() ? open_stream() : answer();
    case 7:
      return end_some();
    case 8:
      if (pick(4) == 0) reset_some();
      return;
    case 9:
    case 10:
      return grant_some();
    case 11:
      if (pick(20) == 0) say_goaway();
      return;
    default:
      return some_data();
  }
}

void RawPeer::frame(uint8_t type, uint8_t flags, uint32_t id, const std::string& payload) {
  out_ += number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) + number(id, 4) +
          payload;
}

void RawPeer::some_settings() {
  Settings settings;
  for (uint64_t i = pick(4); i > 0; --i) {
    switch (pick(7)) {
      case 0:
      case 1:
        settings.emplace_back(TABLE_SIZE, pick(3) == 0 ? 0 : pick(6'000));
        break;
      case 2:
        settings.emplace_back(INITIAL_WINDOW, pick(4) == 0 ? pick(100) : pick(100'000));
        break;
      case 3:
        settings.emplace_back(MAX_FRAME, 16'384 + pick(80'000));
        break;
      case 4:
        if (!is_client()) settings.emplace_back(MAX_STREAMS, 2 + pick(20));
        break;
      case 5:
        if (is_client()) settings.emplace_back(ENABLE_PUSH, 0);
        break;
      default:
        settings.emplace_back(pick(2) == 0 ? 0xfe03 : 0x10 + pick(1'000), pick(1u << 31));
        break;
    }
  }
  send_settings(settings);
}

void RawPeer::send_settings(const Settings& settings) {
  std::string payload;
  for (const auto& [id, value] : settings) payload += number(id, 2) + number(value, 4);
  frame(SETTINGS, 0, 0, payload);
  unacked_.push_back(settings);
  sent.push_back({.kind = Travelled::Kind::settings, .settings = settings});
}

void RawPeer::acknowledge_settings() {
  if (to_ack_.empty()) return;
  for (const auto& [id, value] : to_ack_.front()) {
    if (id == TABLE_SIZE) writer_.set_limit(value);
    if (id == MAX_FRAME) theirs_.max_frame = value;
    if (id == MAX_STREAMS) theirs_.max_streams = value;
    if (id != INITIAL_WINDOW) continue;
    for (auto& [stream_id, stream] : streams) stream.send_window += value - theirs_.initial_window;
    theirs_.initial_window = value;
  }
  to_ack_.pop_front();
  frame(SETTINGS, ACK, 0, "");
  sent.push_back({.kind = Travelled::Kind::settings_ack});
}

void RawPeer::some_control() {
  if (!pings_to_ack_.empty()) {
    frame(PING, ACK, 0, pings_to_ack_.front());
    sent.push_back({.kind = Travelled::Kind::ping_ack, .bytes = pings_to_ack_.front()});
    pings_to_ack_.pop_front();
    return;
  }
  switch (pick(3)) {
    case 0:
      return ask();
    case 1:
      return frame(PRIORITY, 0, static_cast<uint32_t>(1 + 2 * pick(500)),
                   number(0, 4) + number(pick(256), 1));
    default:
      return frame(static_cast<uint8_t>(10 + pick(246)), static_cast<uint8_t>(rng_.next()),
                   static_cast<uint32_t>(pick(50)), std::string(pick(100), 'u'));
  }
}

faults::Metadata RawPeer::some_fields() {
  static const std::array names{"x-a",        "x-b",    "x-c", "x-data-bin", "accept-encoding",
                                "user-agent", "x-trace"};
  faults::Metadata fields;
  for (uint64_t i = pick(7); i > 0; --i) {
    faults::Field field{.name = names[pick(names.size())], .value = {}, .never_indexed = pick(6) == 0};
    switch (pick(6)) {
      case 0:
        break;
      case 1:
        field.value = "gzip, deflate";
        break;
      case 2:
        for (uint64_t n = pick(30); n > 0; --n) field.value.push_back(static_cast<char>(pick(256)));
        break;
      case 3:
        field.value.assign(pick(8) == 0 ? pick(3'000) : pick(200), static_cast<char>('!' + pick(90)));
        break;
      default:
        field.value = "value " + std::to_string(pick(5));
        break;
    }
    fields.push_back(field);
    if (pick(6) == 0) fields.push_back(field);  // twice the same
  }
  return fields;
}

void RawPeer::open_stream() {
  const auto live =
      std::count_if(streams.begin(), streams.end(), [](const auto& one) { return !one.second.over(); });
  if (got_goaway || live >= 12 || (theirs_.max_streams && live >= static_cast<int64_t>(*theirs_.max_streams)))
    return;
  last_opened_ += last_opened_ == 0 ? 1 : static_cast<uint32_t>(2 + 2 * (pick(4) == 0 ? pick(4) : 0));
  Stream& stream = streams[last_opened_];
  stream.send_window = theirs_.initial_window;
  stream.receive_window = mine_.initial_window;
  stream.name = std::to_string(last_opened_);
  faults::Metadata fields{{":method", pick(5) == 0 ? "GET" : "POST"},
                          {":scheme", "http"},
                          {":path", "/s/M" + std::to_string(pick(3))},
                          {":authority", "server"},
                          {"content-type", pick(2) == 0 ? "application/grpc" : "text/plain"},
                          {"x-id", stream.name, pick(4) == 0}};
  if (!faults_wanted.empty() && pick(2) == 0) {
    fields.push_back({"x-fault", faults_wanted[pick(faults_wanted.size())]});
  }
  for (auto& field : some_fields()) fields.push_back(std::move(field));
  send_block(last_opened_, std::move(fields), pick(6) == 0);
}

void RawPeer::answer() {
  uint32_t id = 0;
  Stream* stream = any_stream([](const Stream& one) { return !one.answered && !one.sent_end; }, id);
  if (stream == nullptr) return;
  const bool informational = pick(5) == 0;
  faults::Metadata fields{{":status", informational ? "103" : pick(8) == 0 ? "404" : "200"}};
  if (!informational) fields.push_back({"content-type", pick(3) == 0 ? "text/html" : "application/grpc"});
  for (auto& field : some_fields()) fields.push_back(std::move(field));
  stream->answered = !informational;
  send_block(id, std::move(fields), !informational && pick(6) == 0);
}

void RawPeer::send_block(uint32_t id, faults::Metadata fields, bool end) {
  const std::string block = writer_.block(fields);
  uint8_t flags = end ? END_STREAM : 0;
  std::string before, after;
  if (pick(4) == 0) {
    flags |= PADDED;
    after.assign(pick(256), '\0');
    before = number(after.size(), 1);
  }
  if (is_client() && pick(6) == 0) {
    flags |= WITH_PRIORITY;
    before += number(0, 4) + number(pick(256), 1);
  }
  std::vector<size_t> cuts{block.size()};
  if (pick(3) == 0) {
    for (uint64_t i = 1 + pick(5); i > 0; --i) cuts.push_back(pick(block.size() + 1));
  }
  for (size_t at = 10'000; at < block.size(); at += 10'000) cuts.push_back(at);
  std::sort(cuts.begin(), cuts.end());
  size_t from = 0;
  for (size_t i = 0; i < cuts.size(); ++i) {
    const std::string part = block.substr(from, cuts[i] - from);
    const uint8_t last = i + 1 == cuts.size() ? END_HEADERS : 0;
    if (i == 0) {
      frame(HEADERS, flags | last, id, before + part + after);
    } else {
      frame(CONTINUATION, last, id, part);
    }
    from = cuts[i];
  }
  streams[id].sent_end |= end;
  sent.push_back({.kind = Travelled::Kind::block, .stream = id, .fields = std::move(fields), .end = end});
}

void RawPeer::some_data() {
  uint32_t id = 0;
  Stream* stream = is_client()
                       ? any_stream([](const Stream& one) { return !one.sent_end; }, id)
                       : any_stream([](const Stream& one) { return one.answered && !one.sent_end; }, id);
  if (stream != nullptr) send_data(id, *stream, pick(3) == 0 ? 90'000 : 300, pick(8) == 0);
}

void RawPeer::send_data(uint32_t id, Stream& stream, size_t most, bool end) {
  const int64_t room = std::min({connection.send_window, stream.send_window, int64_t{theirs_.max_frame}});
  size_t left = static_cast<size_t>(std::max<int64_t>(room, 0));
  std::string before, after;
  if (left > 0 && pick(3) == 0) {
    after.assign(pick(std::min<size_t>(left, 256)), '\0');
    before = number(after.size(), 1);
    left -= 1 + after.size();
  }
  std::string bytes(pick(std::min(left, most) + 1), static_cast<char>('a' + pick(26)));
  for (size_t i = 0; i < bytes.size(); i += 97) bytes[i] = static_cast<char>(pick(256));
  const auto flow = static_cast<int64_t>(before.size() + bytes.size() + after.size());
  connection.send_window -= flow;
  stream.send_window -= flow;
  stream.sent_flow += static_cast<uint64_t>(flow);
  stream.sent_end |= end;
  frame(DATA, (end ? END_STREAM : 0) | (before.empty() ? 0 : PADDED), id, before + bytes + after);
  if (bytes.empty() && !end) return;  // says nothing
  sent.push_back({.kind = Travelled::Kind::data, .stream = id, .bytes = std::move(bytes), .end = end});
}

void RawPeer::end_some() {
  uint32_t id = 0;
  Stream* stream = any_stream([](const Stream& one) { return !one.sent_end; }, id);
  if (stream != nullptr) end(id, *stream);
}

void RawPeer::end(uint32_t id, Stream& stream) {
  if (!is_client() && !std::exchange(stream.answered, true)) {
    return send_block(id, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}},
                      true);
  }
  if (pick(2) == 0) return send_data(id, stream, 0, true);
  faults::Metadata fields = some_fields();
  fields.push_back({"grpc-status", "0"});
  send_block(id, std::move(fields), true);
}

void RawPeer::reset_some() {
  uint32_t id = 0;
  Stream* stream = any_stream([](const Stream&) { return true; }, id);
  if (stream == nullptr) return;
  const auto code = static_cast<uint32_t>(pick(4) == 0 ? rng_.next() : pick(14));
  stream->sent_reset = true;
  frame(RST_STREAM, 0, id, number(code, 4));
  sent.push_back({.kind = Travelled::Kind::reset, .stream = id, .code = code});
}

void RawPeer::grant(uint32_t id, Stream& stream, int64_t n) {
  if (n <= 0) return;
  stream.receive_window += n;
  stream.consumed -= std::min(stream.consumed, n);
  stream.granted += static_cast<uint64_t>(n);
  if (!stream.sent_end) stream.granted_in_time += static_cast<uint64_t>(n);
  frame(WINDOW_UPDATE, 0, id, number(static_cast<uint64_t>(n), 4));
}

void RawPeer::grant_some() {
  uint32_t id = 0;
  Stream* stream =
      pick(2) == 0 ? &connection : any_stream([](const Stream& one) { return !one.got_end; }, id);
  if (stream == nullptr || stream->receive_window > roomy) return;
  grant(id, *stream, static_cast<int64_t>(1 + pick(static_cast<uint64_t>(stream->consumed) + 3'000)));
}

void RawPeer::say_goaway() {
  if (sent_goaway && is_client()) return;
  uint32_t last = 0;
  if (!is_client()) {
    last = sent_goaway ? *sent_goaway : pick(3) == 0 ? last_id : last_opened_;
    if (last != last_id && pick(3) == 0 && !streams.empty()) {
      auto lower = streams.begin();
      std::advance(lower, static_cast<ptrdiff_t>(pick(streams.size())));
      last = std::min(last, lower->first);
    }
  }
  const auto code = static_cast<uint32_t>(pick(14));
  std::string debug(pick(40), static_cast<char>('a' + pick(26)));
  frame(GOAWAY, 0, 0, number(last, 4) + number(code, 4) + debug);
  sent.push_back({.kind = Travelled::Kind::goaway, .bytes = std::move(debug), .code = code, .last = last});
  if (last == last_id) return;
  sent_goaway = last;
  if (is_client()) return;
  for (auto& [id, stream] : streams) stream.refused |= id > last;
}

void RawPeer::wind_up() {
  while (!to_ack_.empty()) acknowledge_settings();
  while (!pings_to_ack_.empty()) some_control();
  grant(0, connection, std::max(connection.consumed, 65'535 - connection.receive_window));
  bool over = true;
  for (auto& [id, stream] : streams) {
    if (stream.over()) continue;
    over = false;
    if (!stream.got_end) grant(id, stream, 30'000 - stream.receive_window);
    if (!stream.sent_end) end(id, stream);
  }
  if (!over || std::exchange(said_last_, true)) return;
  ask();
}

void RawPeer::ask() {
  unanswered_.push_back(number(rng_.next(), 8));
  frame(PING, 0, 0, unanswered_.back());
  sent.push_back({.kind = Travelled::Kind::ping, .bytes = unanswered_.back()});
}

bool RawPeer::quiet() const {
  const bool over =
      std::all_of(streams.begin(), streams.end(), [](const auto& one) { return one.second.over(); });
  return said_last_ && over && out_.empty() && to_ack_.empty() && unacked_.empty() && pings_to_ack_.empty() &&
         unanswered_.empty() && connection.consumed == 0;
}

}  // namespace breakwire::http2::testing
