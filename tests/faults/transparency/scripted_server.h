// A server of frame bytes written by hand, for what no library would do: the servers of gRPC's negative
// HTTP/2 interop tests (grpc/grpc doc/negative-http2-interop-test-descriptions.md). It keeps to the windows
// that it is given and asserts what those tests assert.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/relay/sockets.h"

namespace breakwire::relay::testing {

/// One connection of a ScriptedServer, spoken on its own thread.
class ScriptedConnection {
 public:
  struct Seen {
    size_t requests = 0;
    size_t most_open = 0;  // streams at once
    std::vector<std::string> pings_sent, pings_acked;
    uint64_t flow_sent = 0;    // DATA with its padding (RFC 9113 §6.1)
    uint64_t credit = 65'535;  // of the connection's window: at first, and by WINDOW_UPDATE
    bool ended = false;        // by the client's FIN
  };
  using OnRequest = std::function<void(ScriptedConnection&, uint32_t stream)>;

  ScriptedConnection(Socket socket, std::string settings, OnRequest on_request,
                     std::function<void(const Seen&)> tell)
      : socket_(std::move(socket)),
        settings_(std::move(settings)),
        on_request_(std::move(on_request)),
        tell_(std::move(tell)) {
    const int on = 1;
    ::setsockopt(socket_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  /// Until the client leaves.
  void run() {
    if (socket_.receive(24).size() != 24) return;
    send_frame(settings_type, 0, 0, settings_);
    while (read_frame()) {
      while (!requests_.empty()) {
        const uint32_t stream = requests_.front();
        requests_.pop_front();
        on_request_(*this, stream);
      }
    }
    seen_.ended = true;
    tell_(seen_);
  }

  // What scripts are made of.
  void headers(uint32_t stream) {
    send_frame(headers_type, end_headers, stream, "\x88" + field("content-type", "application/grpc"));
  }
  void trailers(uint32_t stream) {
    send_frame(headers_type, end_headers | end_stream, stream, field("grpc-status", "0"));
    --open_;
  }
  /// In frames of at most `piece` octets, each with `padding` more when that is not negative.
  void data(uint32_t stream, std::string_view bytes, size_t piece = 16'384, int padding = -1) {
    std::string batch;
    const size_t around = padding < 0 ? 0 : 1 + static_cast<size_t>(padding);
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, piece);
      const auto flow = static_cast<int64_t>(part.size() + around);
      if (flow > std::min(window_, windows_[stream]) || batch.size() > 16'384) {
        send(std::exchange(batch, {}));
        while (flow > std::min(window_, windows_[stream])) {
          if (!read_frame()) return;
        }
      }
      bytes.remove_prefix(part.size());
      window_ -= flow;
      windows_[stream] -= flow;
      seen_.flow_sent += static_cast<uint64_t>(flow);
      std::string payload;
      if (padding >= 0) payload.push_back(static_cast<char>(padding));
      payload.append(part);
      if (padding > 0) payload.append(static_cast<size_t>(padding), '\0');
      batch += frame(data_type, padding >= 0 ? padded : 0, stream, payload);
    }
    send(batch);
  }
  void reset(uint32_t stream, uint32_t code) {
    send_frame(rst_type, 0, stream, number(code));
    --open_;
  }
  void goaway(uint32_t last, uint32_t code) { send_frame(goaway_type, 0, 0, number(last) + number(code)); }
  void ping() {
    seen_.pings_sent.push_back("ping no" + std::to_string(seen_.pings_sent.size() % 10));
    send_frame(ping_type, 0, 0, seen_.pings_sent.back());
  }

 private:
  static constexpr uint8_t data_type = 0, headers_type = 1, rst_type = 3, settings_type = 4, ping_type = 6,
                           goaway_type = 7, window_type = 8;
  static constexpr uint8_t end_stream = 1, ack = 1, end_headers = 4, padded = 8;

  static std::string number(uint32_t value, int octets = 4) {
    std::string out;
    for (int i = octets; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
    return out;
  }
  static uint32_t number_in(std::string_view bytes) {
    uint32_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
  }
  /// A literal without indexing (RFC 7541 §6.2.2).
  static std::string field(std::string_view name, std::string_view value) {
    std::string out(1, '\0');
    for (const std::string_view text : {name, value})
      out.append(1, static_cast<char>(text.size())).append(text);
    return out;
  }
  static std::string frame(uint8_t type, int flags, uint32_t stream, const std::string& payload) {
    return number(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
           static_cast<char>(flags) + number(stream) + payload;
  }
  void send(std::string_view bytes) {
    if (!bytes.empty()) socket_.send(bytes);
  }
  void send_frame(uint8_t type, int flags, uint32_t stream, const std::string& payload) {
    send(frame(type, flags, stream, payload));
  }

  /// False when the client has left.
  bool read_frame() {
    const std::string header = socket_.receive(9);
    if (header.size() < 9) return false;
    const std::string payload = socket_.receive(number_in(std::string_view(header).substr(0, 3)));
    const auto type = static_cast<uint8_t>(header[3]);
    const auto flags = static_cast<uint8_t>(header[4]);
    const uint32_t stream = number_in(std::string_view(header).substr(5)) & 0x7fffffff;
    if (type == settings_type && !(flags & ack)) on_settings(payload);
    if (type == ping_type) {
      if (flags & ack) {
        seen_.pings_acked.push_back(payload);
        tell_(seen_);
      } else {
        send_frame(ping_type, ack, 0, payload);
      }
    }
    if (type == window_type) (stream == 0 ? window_ : windows_[stream]) += number_in(payload);
    if (type == window_type && stream == 0) seen_.credit += number_in(payload);
    if (type == headers_type) {
      windows_.emplace(stream, initial_window_);
      seen_.most_open = std::max(seen_.most_open, ++open_);
    }
    if (type == data_type && !payload.empty()) {
      send_frame(window_type, 0, 0, number(static_cast<uint32_t>(payload.size())));
      if (!(flags & end_stream))
        send_frame(window_type, 0, stream, number(static_cast<uint32_t>(payload.size())));
    }
    if ((type == data_type || type == headers_type) && (flags & end_stream)) {
      ++seen_.requests;
      requests_.push_back(stream);
    }
    return true;
  }
  void on_settings(std::string_view payload) {
    for (; payload.size() >= 6; payload.remove_prefix(6)) {
      if (number_in(payload.substr(0, 2)) != 4) continue;
      const int64_t initial = number_in(payload.substr(2, 4));
      for (auto& [stream, window] : windows_) window += initial - initial_window_;
      initial_window_ = initial;
    }
    send_frame(settings_type, ack, 0, "");
  }

  Socket socket_;
  std::string settings_;
  OnRequest on_request_;
  std::function<void(const Seen&)> tell_;
  Seen seen_;
  std::deque<uint32_t> requests_;
  size_t open_ = 0;
  int64_t window_ = 65'535, initial_window_ = 65'535;
  std::map<uint32_t, int64_t> windows_;
};

/// Listens, and speaks by the script on every connection until its client leaves.
class ScriptedServer {
 public:
  explicit ScriptedServer(ScriptedConnection::OnRequest on_request, std::string settings = {})
      : on_request_(std::move(on_request)), settings_(std::move(settings)), acceptor_([this] { accept(); }) {}
  ~ScriptedServer() {
    stopping_ = true;
    acceptor_.join();
    for (auto& thread : threads_) thread.join();
  }

  uint16_t port() const { return listener_.port(); }
  /// What was seen on each connection, once that is as it should be; or as it is when patience ends.
  std::vector<ScriptedConnection::Seen> wait_for(
      const std::function<bool(const std::vector<ScriptedConnection::Seen>&)>& there) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return there(seen_); });
    return seen_;
  }
  /// The same when every client has left.
  std::vector<ScriptedConnection::Seen> wait_for_ends() {
    return wait_for([](const auto& all) {
      return std::all_of(all.begin(), all.end(), [](const auto& one) { return one.ended; });
    });
  }

 private:
  void accept() {
    while (!stopping_) {
      if (listener_.nobody_connects()) continue;
      const std::lock_guard lock(mutex_);
      const size_t number = seen_.size();
      seen_.emplace_back();
      threads_.emplace_back(
          [this, number, socket = listener_.accept()]() mutable { speak(number, std::move(socket)); });
    }
  }

  void speak(size_t number, Socket socket) {
    ScriptedConnection(std::move(socket), settings_, on_request_, [this, number](const auto& seen) {
      const std::lock_guard lock(mutex_);
      seen_[number] = seen;
      changed_.notify_all();
    }).run();
  }

  Listener listener_;
  ScriptedConnection::OnRequest on_request_;
  std::string settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ScriptedConnection::Seen> seen_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_ = false;
  std::thread acceptor_;
};

}  // namespace breakwire::relay::testing
