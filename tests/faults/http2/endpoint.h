// A client or a server made of libnghttp2, in memory: the witness that what the session emits is HTTP/2. It
// speaks gRPC's framing and counts every complaint nghttp2 has.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "faults/metadata.h"
#include "tests/faults/http2/end.h"

namespace breakwire::http2::testing {

/// A message with gRPC's five-byte prefix.
std::string grpc_message(std::string_view payload);

/// What an endpoint has got on one stream.
struct Received {
  faults::Metadata fields;    // initial
  faults::Metadata trailers;  // or Trailers-Only's only fields
  std::string body;
  bool end = false;
  std::optional<uint32_t> closed;  // the stream's error code once it is closed
  bool operator==(const Received&) const = default;
};

class Endpoint final : public End {
 public:
  enum class Role { client, server };
  struct Options {
    std::vector<nghttp2_settings_entry> settings;
    bool manual_windows = false;  // give no credit by itself
    size_t padding = 0;           // on DATA and HEADERS
    bool keep_frames = false;     // remember the header of every frame received
  };
  Endpoint(Role role, Options options);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  std::string output() override;
  void input(std::span<const uint8_t> bytes) override;

  /// Client: a request with these messages' bytes as its body; `end` false keeps the request open.
  int32_t request(const faults::Metadata& fields, std::string body, bool end = true);
  /// More of a body that is still open, and its end.
  void send(int32_t stream, std::string bytes, bool end);
  /// Server: HEADERS, body and trailers, or only trailers.
  void respond(int32_t stream, const faults::Metadata& fields, std::string body,
               const faults::Metadata& trailers);
  void trailers_only(int32_t stream, const faults::Metadata& fields);
  void reset(int32_t stream, uint32_t code);
  void ping(uint64_t payload);
  void goaway(int32_t last, uint32_t code, const std::string& debug = {});
  void settings(const std::vector<nghttp2_settings_entry>& entries);
  nghttp2_session* native() { return session_.get(); }

  /// Server: called at the end of each request (END_STREAM).
  std::function<void(int32_t stream)> on_request;
  /// Server: called at each request's HEADERS.
  std::function<void(int32_t stream)> on_headers;

  std::map<int32_t, Received> streams;
  std::vector<std::string> complaints;  // nothing must ever be here
  bool may_say_goaway = false;          // with an error, because the test wants it
  std::optional<uint32_t> goaway_last;  // of the last GOAWAY received
  std::vector<uint32_t> goaway_lasts;   // of all of them
  uint32_t goaway_code = 0;
  std::string goaway_debug;
  size_t ping_acks = 0;
  size_t pings = 0;
  std::vector<nghttp2_frame_hd> frames;  // with keep_frames; also those on streams that are closed

 private:
  struct Body {
    std::string bytes;
    size_t sent = 0;
    bool end = false;
    bool waits = false;  // nghttp2 was told there is nothing yet
    faults::Metadata trailers;
  };
  struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  static nghttp2_data_provider provider();
  static Endpoint& self(void* user) { return *static_cast<Endpoint*>(user); }
  void must(int64_t result, const char* what);
  void on_frame(const nghttp2_frame& frame);

  Options options_;
  Role role_;
  std::unique_ptr<nghttp2_session, Free> session_;
  std::map<int32_t, Body> bodies_;
};

}  // namespace breakwire::http2::testing
