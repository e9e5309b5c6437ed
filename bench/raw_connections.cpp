#include "bench/raw_connections.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/loopback.h"

namespace bench {
namespace {

const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
constexpr size_t fields_in_a_table = 4096 / 34;  // a name and a value of one byte each, and 32

/// HEADERS on stream 1, the whole call: literals with incremental indexing (RFC 7541 §6.2.1).
std::string filling_headers(std::string_view first) {
  std::string block(first);
  for (size_t field = 0; field < fields_in_a_table; ++field)
    block +=
        {'\x40', '\x01', static_cast<char>('a' + field % 26), '\x01', static_cast<char>('!' + field % 90)};
  std::string frame("\0\0\0\1\5\0\0\0\1", 9);  // END_STREAM, END_HEADERS
  frame[1] = static_cast<char>(block.size() >> 8);
  frame[2] = static_cast<char>(block.size());
  return frame + block;
}

void say(int socket, const std::string& text) { ::send(socket, text.data(), text.size(), MSG_NOSIGNAL); }

/// Reads until so many bytes have come in all.
bool hear(int socket, size_t count) {
  char buffer[4096];
  while (count > 0) {
    const auto got = ::recv(socket, buffer, std::min(count, sizeof buffer), 0);
    if (got <= 0) return false;
    count -= static_cast<size_t>(got);
  }
  return true;
}

/// Reads frames until HEADERS have been read.
bool hear_headers(int socket) {
  for (unsigned char type = 0xff; type != 1;) {
    unsigned char header[9];
    if (::recv(socket, header, sizeof header, MSG_WAITALL) != sizeof header) return false;
    type = header[3];
    if (!hear(socket, size_t{header[0]} << 16 | size_t{header[1]} << 8 | header[2])) return false;
  }
  return true;
}

const std::string request = filling_headers("\x83\x86\x84");  // :method POST, :scheme http, :path /
const std::string response = filling_headers("\x88");         // :status 200

}  // namespace

class RawServer::Impl {
 public:
  Impl() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1024);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Impl() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int socket : sockets_) ::close(socket);
  }
  uint16_t port() const { return port_; }

 private:
  void serve() {
    while (!stopping_) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      sockets_.push_back(socket);
      say(socket, settings);
      constexpr size_t preface = 24;
      if (hear(socket, preface) && hear_headers(socket)) say(socket, response);
    }
  }

  int listener_;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<int> sockets_;
  std::thread thread_;
};

RawServer::RawServer() : impl_(std::make_unique<Impl>()) {}
RawServer::~RawServer() = default;
uint16_t RawServer::port() const { return impl_->port(); }

class FullTables::Impl {
 public:
  Impl(uint16_t port, size_t connections) {
    const auto address = loopback(port);
    for (size_t count = 0; count < connections; ++count) {
      sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int socket = sockets_.back();
      if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect");
      say(socket, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + request);
      // A relay that encodes anew says other bytes: the first of the answer are enough.
      if (!hear(socket, settings.size() + 9)) throw std::runtime_error("a connection was ended");
    }
  }
  ~Impl() {
    for (const int socket : sockets_) ::close(socket);
  }

 private:
  std::vector<int> sockets_;
};

FullTables::FullTables(uint16_t port, size_t connections)
    : impl_(std::make_unique<Impl>(port, connections)) {}
FullTables::~FullTables() = default;

}  // namespace bench
