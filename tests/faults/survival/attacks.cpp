#include "tests/faults/survival/attacks.h"

#include "faults/http2/hpack.h"
#include "faults/http2/settings.h"
#include "tests/faults/http2/bytes.h"

namespace breakwire::relay::testing {
namespace {

using http2::append_field_block;
using http2::append_rst_stream;
using http2::FrameType;
using http2::Side;
using http2::testing::bytes_of;
using http2::testing::frame;
using http2::testing::hex;
using http2::testing::settings_frame;
namespace flag = http2::flag;
using End = Attack::End;

constexpr size_t at_a_time = 1'000;  // frames in a piece
constexpr StreamId victim = 1;       // the call that servers have been asked for

faults::Metadata request_fields() {
  return {{":method", "POST"},      {":scheme", "http"}, {":path", "/test.Echo/Wait"},
          {":authority", "server"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

std::string request(StreamId id) {
  std::string out;
  append_field_block(out, id, http2::encode_literally(request_fields()), false, http2::default_frame_size);
  return out;
}

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// The same again and again.
std::function<std::string(size_t)> flood_of(const std::string& bytes) {
  return [piece = repeated(bytes, at_a_time)](size_t) { return piece; };
}
/// Once, and then nothing.
std::function<std::string(size_t)> once(const std::string& bytes) {
  return [bytes](size_t n) { return n == 0 ? bytes : ""; };
}

std::string reset_calls(size_t n) {
  std::string out;
  for (size_t i = 0; i < at_a_time; ++i) {
    const auto id = static_cast<StreamId>(2 * (n * at_a_time + i) + 3);
    out += request(id);
    append_rst_stream(out, id, Http2Error::cancel);
  }
  return out;
}

std::string reset_of(StreamId id) {
  std::string out;
  append_rst_stream(out, id, Http2Error::cancel);
  return out;
}

/// A field of 4,000 bytes goes into the table, and then 10,000 bytes name it 10,000 times.
std::string bomb() {
  return hex("40 01") + "x" + hex("7f a11e") + std::string(4'000, 'v') + std::string(10'000, '\xbe');
}

std::string many_parameters() {
  std::string parameters;
  for (uint16_t id = 1'000; id < 11'000; ++id) {
    http2::append_u16(parameters, id);
    http2::append_u32(parameters, id);
  }
  return settings_frame(parameters);
}

/// One header field of a MiB, in frames that every peer accepts.
std::string long_field() {
  std::string block = hex("00 01") + "x" + hex("7f 81ff3f") + std::string(1u << 20, 'v');
  std::string out;
  append_field_block(out, victim, block, true, http2::default_frame_size);
  return out;
}

/// DATA of a call that its sender has reset, in so many frames that one read may bring them all. The relay
/// gives the credit back for each.
std::string crumbs() { return repeated(frame(FrameType::data, 0, victim, "crumb"), 13'000); }

std::string server_opening() { return settings_frame() + frame(FrameType::settings, flag::ack, 0, ""); }

std::string response_begins() {
  std::string out;
  append_field_block(out, victim,
                     http2::encode_literally({{":status", "200"}, {"content-type", "application/grpc"}}),
                     false, http2::default_frame_size);
  return out;
}

/// What both sides can do alike.
void add_common(std::vector<Attack>& all, Side by, const std::string& opening) {
  const std::string side = by == Side::downstream ? "by_client" : "by_server";
  const auto add = [&](const std::string& name, const std::string& first,
                       std::function<std::string(size_t)> piece, const std::string& limit) {
    all.push_back({.name = name + "_" + side,
                   .by = by,
                   .opening = opening + first,
                   .piece = std::move(piece),
                   .end = End::limit,
                   .what = limit});
  };
  const std::string half_block = frame(FrameType::headers, 0, victim, "");
  const StreamId bombed = by == Side::downstream ? 3 : victim;
  add("continuation_flood", half_block, flood_of(frame(FrameType::continuation, 0, victim, "")),
      "continuations");
  add("hpack_bomb", "", once(frame(FrameType::headers, flag::end_headers, bombed, bomb())),
      "field_list_bytes");
  add("header_of_a_mib", "", once(long_field()), "field_block_bytes");
  add("headers_frame_of_a_mib", "",
      once(frame(FrameType::headers, flag::end_headers, victim, std::string(1u << 20, 'v'))),
      "field_block_bytes");
  add("ping_flood", "", flood_of(frame(FrameType::ping, 0, 0, "12345678")), "idle_frames_per_second");
  add("ping_ack_flood", "", flood_of(frame(FrameType::ping, flag::ack, 0, "12345678")),
      "idle_frames_per_second");
  add("settings_flood", "", flood_of(settings_frame()), "idle_frames_per_second");
  add("settings_ack_flood", "", flood_of(frame(FrameType::settings, flag::ack, 0, "")),
      "idle_frames_per_second");
  add("long_settings", "", once(many_parameters()), "settings_parameters");
  add("empty_data_flood", by == Side::upstream ? response_begins() : "",
      flood_of(frame(FrameType::data, 0, victim, "")), "idle_frames_per_second");
  add("priority_flood", "", flood_of(frame(FrameType::priority, 0, victim, hex("00000000 10"))),
      "idle_frames_per_second");
  all.push_back({.name = "garbage_after_the_opening_" + side,
                 .by = by,
                 .opening = opening,
                 .piece = once(std::string(100'000, '\xff')),
                 .end = End::violation,
                 .what = ""});
}

std::vector<Attack> all_attacks() {
  std::vector<Attack> all;
  add_common(all, Side::downstream, client_opening());
  add_common(all, Side::upstream, server_opening());
  all.push_back({.name = "rapid_reset_by_client",
                 .by = Side::downstream,
                 .opening = client_opening(),
                 .piece = reset_calls,
                 .end = End::limit,
                 .what = "resets_per_second"});
  all.push_back({.name = "rapid_reset_by_server",
                 .by = Side::upstream,
                 .opening = server_opening(),
                 .piece = flood_of(reset_of(victim)),
                 .end = End::limit,
                 .what = "resets_per_second"});
  all.push_back({.name = "slow_preface_by_client",
                 .by = Side::downstream,
                 .opening = "PRI * HTTP/2.0\r\n",
                 .piece = once("\r\nS"),
                 .end = End::limit,
                 .what = "handshake_timeout"});
  all.push_back({.name = "slow_settings_by_server",
                 .by = Side::upstream,
                 .opening = settings_frame().substr(0, 5),
                 .piece = once(settings_frame().substr(5, 2)),
                 .end = End::passes,
                 .what = ""});
  all.push_back({.name = "crumbs_after_a_reset_by_client",
                 .by = Side::downstream,
                 .opening = client_opening() + reset_of(victim),
                 .hears_first = http2::frame_header_size,
                 .piece = once(crumbs()),
                 .end = End::passes,
                 .what = ""});
  all.push_back({.name = "window_update_flood_by_server",
                 .by = Side::upstream,
                 .opening = server_opening(),
                 .piece = flood_of(frame(FrameType::window_update, 0, 0, hex("00000001"))),
                 .end = End::passes,
                 .what = ""});
  all.push_back({.name = "garbage_by_client",
                 .by = Side::downstream,
                 .opening = std::string(1'000, '\xff'),
                 .piece = once(std::string(100'000, '\x01')),
                 .end = End::passes,
                 .what = ""});
  all.push_back({.name = "garbage_by_server",
                 .by = Side::upstream,
                 .opening = std::string(1'000, '\xff'),
                 .piece = once(std::string(100'000, '\x01')),
                 .end = End::violation,
                 .what = ""});
  return all;
}

}  // namespace

std::string client_opening() {
  return std::string(http2::client_preface) + settings_frame() +
         frame(FrameType::settings, flag::ack, 0, "") + request(victim);
}

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all = all_attacks();
  return all;
}

}  // namespace breakwire::relay::testing
