// A session between two peers that a test plays by hand, byte by byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "faults/http2/hpack.h"
#include "tests/faults/http2/bytes.h"
#include "tests/faults/http2/world.h"

namespace breakwire::http2::testing {

inline const faults::Metadata bad_gateway{{":status", "502"}, {"content-type", "text/html"}};

class Wire {
 public:
  explicit Wire(Limits limits = {})
      : session({.edge = {"a->b"}, .connection = {7}, .limits = limits}, host), now(Instant{} + 1000s) {}

  /// The handshake, without a trace of it in the outputs.
  void begin() {
    client(std::string(client_preface) + settings_frame());
    server(settings_frame() + frame(FrameType::settings, flag::ack, 0, ""));
    client(frame(FrameType::settings, flag::ack, 0, ""));
    to_client();
    to_server();
  }
  void client(std::string_view bytes) { session.receive(Side::downstream, bytes_of(bytes), now); }
  void server(std::string_view bytes) { session.receive(Side::upstream, bytes_of(bytes), now); }
  std::string to_client() { return taken(Side::downstream); }
  std::string to_server() { return taken(Side::upstream); }

  /// HEADERS by a sender that never indexes; both outputs stay comparable.
  static std::string headers(StreamId id, const faults::Metadata& fields, bool end = false) {
    std::string out;
    append_field_block(out, id, encode_literally(fields), end, 16'384);
    return out;
  }
  static std::string request(StreamId id, bool end = false) {
    return headers(id, request_fields("s/M"), end);
  }
  static std::string data(StreamId id, std::string_view bytes, bool end = false) {
    return frame(FrameType::data, end ? flag::end_stream : 0, id, bytes);
  }
  static std::string reset(StreamId id, Http2Error code) {
    std::string out;
    append_rst_stream(out, id, code);
    return out;
  }
  static std::string window_update(StreamId id, uint32_t n) {
    std::string out;
    append_window_update(out, id, n);
    return out;
  }
  static std::string goaway(StreamId last, Http2Error code = Http2Error::no_error,
                            std::string_view debug = {}) {
    std::string out;
    append_goaway(out, last, code, debug);
    return out;
  }
  void clear(const std::string& fault) { session.fault_cleared({fault}, now); }
  /// A fault that acts on every call at this stage.
  void fault(faults::Stage stage, faults::WireAction action, std::string by = "f") {
    host.rule = [=](const faults::CallReached& reached) {
      return reached.stage == stage ? ruling(action, by) : faults::Ruling{};
    };
  }
  template <class T>
  std::vector<T> seen() {
    session.flush_observations();
    return host.all<T>();
  }

  ScriptedHost host;
  Session session;
  Instant now;

 private:
  std::string taken(Side to) {
    const std::string bytes = session.take_output(to);
    total_[to] += bytes.size();
    session.written(to, total_[to], now);
    return bytes;
  }
  std::map<Side, uint64_t> total_;
};

/// The code of the GOAWAY that is the last of some frames; its debug data is empty.
inline std::string goaway_code(const std::string& output) {
  if (output.size() < 17) return "no GOAWAY";
  const std::string_view last = std::string_view(output).substr(output.size() - 17);
  if (last[3] != 7) return "no GOAWAY";
  return to_text(static_cast<Http2Error>(read_u32(bytes_of(last).data() + 13)));
}

}  // namespace breakwire::http2::testing
