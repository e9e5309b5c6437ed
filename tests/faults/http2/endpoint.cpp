#include "tests/faults/http2/endpoint.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace breakwire::http2::testing {
namespace {

std::vector<nghttp2_nv> to_nv(const faults::Metadata& fields) {
  std::vector<nghttp2_nv> nva;
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  for (const auto& field : fields) {
    nva.push_back(
        {bytes(field.name), bytes(field.value), field.name.size(), field.value.size(),
         static_cast<uint8_t>(field.never_indexed ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)});
  }
  return nva;
}

}  // namespace

std::string grpc_message(std::string_view payload) {
  std::string message(5, '\0');
  for (size_t i = 0; i < 4; ++i) message[1 + i] = static_cast<char>(payload.size() >> (24 - 8 * i));
  return message.append(payload);
}

Endpoint::Endpoint(Role role, Options options) : options_(std::move(options)), role_(role) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).on_frame(*frame);
        return 0;
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_length,
                    const uint8_t* value, size_t value_length, uint8_t flags, void* user) {
        Received& stream = self(user).streams[frame->hd.stream_id];
        auto& fields = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && self(user).role_ == Role::client
                           ? stream.trailers
                           : stream.fields;
        fields.push_back({std::string(reinterpret_cast<const char*>(name), name_length),
                          std::string(reinterpret_cast<const char*>(value), value_length),
                          (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0});
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t length, void* user) {
        self(user).streams[id].body.append(reinterpret_cast<const char*>(data), length);
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, int32_t id, uint32_t code, void* user) {
        self(user).streams[id].closed = code;
        self(user).bodies_.erase(id);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR &&
            !self(user).may_say_goaway) {
          self(user).complaints.push_back(std::string("sends GOAWAY ") +
                                          nghttp2_http2_strerror(frame->goaway.error_code));
        }
        // NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM and CANCEL are what a test or its application may say.
        if (frame->hd.type == NGHTTP2_RST_STREAM) {
          const uint32_t code = frame->rst_stream.error_code;
          if (code != 0 && code != 2 && code != 7 && code != 8) {
            self(user).complaints.push_back(std::string("resets ") + std::to_string(frame->hd.stream_id) +
                                            " with " + nghttp2_http2_strerror(code));
          }
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, int code, void* user) {
        self(user).complaints.push_back("invalid frame of type " + std::to_string(frame->hd.type) + " on " +
                                        std::to_string(frame->hd.stream_id) + ": " + nghttp2_strerror(code));
        return 0;
      });
  nghttp2_session_callbacks_set_error_callback2(
      callbacks, [](nghttp2_session*, int, const char* text, size_t length, void* user) {
        self(user).complaints.push_back(std::string(text, length));
        return 0;
      });
  nghttp2_session_callbacks_set_select_padding_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, size_t most, void* user) {
        return static_cast<ssize_t>(std::min(most, frame->hd.length + self(user).options_.padding));
      });
  nghttp2_session_callbacks_set_on_begin_frame_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame_hd* header, void* user) {
        if (self(user).options_.keep_frames) self(user).frames.push_back(*header);
        return 0;
      });
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, options_.manual_windows ? 1 : 0);
  nghttp2_option_set_stream_reset_rate_limit(option, 1'000'000, 1'000'000);
  nghttp2_option_set_max_outbound_ack(option, 1'000'000);
  nghttp2_session* raw = nullptr;
  if (role == Role::client) {
    nghttp2_session_client_new2(&raw, callbacks, this, option);
  } else {
    nghttp2_session_server_new2(&raw, callbacks, this, option);
  }
  session_.reset(raw);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  settings(options_.settings);
}

void Endpoint::must(int64_t result, const char* what) {
  if (result < 0) complaints.push_back(std::string(what) + ": " + nghttp2_strerror(static_cast<int>(result)));
}

void Endpoint::on_frame(const nghttp2_frame& frame) {
  const int32_t id = frame.hd.stream_id;
  switch (frame.hd.type) {
    case NGHTTP2_PING:
      ++((frame.hd.flags & NGHTTP2_FLAG_ACK) ? ping_acks : pings);
      return;
    case NGHTTP2_GOAWAY:
      goaway_last = static_cast<uint32_t>(frame.goaway.last_stream_id);
      goaway_lasts.push_back(*goaway_last);
      goaway_code = frame.goaway.error_code;
      goaway_debug.assign(reinterpret_cast<const char*>(frame.goaway.opaque_data),
                          frame.goaway.opaque_data_len);
      return;
    case NGHTTP2_HEADERS:
      if (role_ == Role::server && on_headers) on_headers(id);
      break;
    case NGHTTP2_DATA:
      break;
    default:
      return;
  }
  if (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) {
    streams[id].end = true;
    if (role_ == Role::server && on_request) on_request(id);
  }
}

std::string Endpoint::output() {
  std::string all;
  for (;;) {
    const uint8_t* bytes = nullptr;
    const ssize_t n = nghttp2_session_mem_send(session_.get(), &bytes);
    must(n, "send");
    if (n <= 0) return all;
    all.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(n));
  }
}

void Endpoint::input(std::span<const uint8_t> bytes) {
  must(nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size()), "receive");
}

nghttp2_data_provider Endpoint::provider() {
  nghttp2_data_provider provider{};
  provider.read_callback = [](nghttp2_session* session, int32_t id, uint8_t* to, size_t most, uint32_t* flags,
                              nghttp2_data_source*, void* user) -> ssize_t {
    Body& body = self(user).bodies_[id];
    const size_t n = std::min(most, body.bytes.size() - body.sent);
    if (n == 0 && !body.end) {
      body.waits = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    std::memcpy(to, body.bytes.data() + body.sent, n);
    body.sent += n;
    if (body.sent == body.bytes.size() && body.end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!body.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto nva = to_nv(body.trailers);
        self(user).must(nghttp2_submit_trailer(session, id, nva.data(), nva.size()), "trailers");
      }
    }
    return static_cast<ssize_t>(n);
  };
  return provider;
}

int32_t Endpoint::request(const faults::Metadata& fields, std::string body, bool end) {
  const auto nva = to_nv(fields);
  const nghttp2_data_provider data = provider();
  const bool empty = body.empty() && end;
  const int32_t id = nghttp2_submit_request(session_.get(), nullptr, nva.data(), nva.size(),
                                            empty ? nullptr : &data, nullptr);
  must(id, "request");
  bodies_[id] = {.bytes = std::move(body), .end = end};
  return id;
}

void Endpoint::send(int32_t stream, std::string bytes, bool end) {
  Body& body = bodies_[stream];
  body.bytes.append(bytes);
  body.end = end;
  if (std::exchange(body.waits, false)) nghttp2_session_resume_data(session_.get(), stream);
}

void Endpoint::respond(int32_t stream, const faults::Metadata& fields, std::string body,
                       const faults::Metadata& trailers) {
  const auto nva = to_nv(fields);
  bodies_[stream] = {.bytes = std::move(body), .end = true, .trailers = trailers};
  const nghttp2_data_provider data = provider();
  must(nghttp2_submit_response(session_.get(), stream, nva.data(), nva.size(), &data), "respond");
}

void Endpoint::trailers_only(int32_t stream, const faults::Metadata& fields) {
  const auto nva = to_nv(fields);
  must(nghttp2_submit_response(session_.get(), stream, nva.data(), nva.size(), nullptr), "trailers only");
}

void Endpoint::reset(int32_t stream, uint32_t code) {
  must(nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, code), "reset");
}

void Endpoint::ping(uint64_t payload) {
  uint8_t bytes[8];
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(payload >> (56 - 8 * i));
  must(nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, bytes), "ping");
}

void Endpoint::goaway(int32_t last, uint32_t code, const std::string& debug) {
  must(nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last, code,
                             reinterpret_cast<const uint8_t*>(debug.data()), debug.size()),
       "goaway");
}

void Endpoint::settings(const std::vector<nghttp2_settings_entry>& entries) {
  must(nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries.data(), entries.size()),
       "settings");
}

}  // namespace breakwire::http2::testing
