// Notices that a peer hung up on a socket that nobody reads: epoll's EPOLLERR, EPOLLHUP and EPOLLRDHUP.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <map>

namespace breakwire::relay {

/// Why not Asio's own waits: they tell of readable bytes, and unread bytes hide both FIN and RST behind them;
/// under back-pressure, or on a muted connection, the relay must leave those bytes unread.
/// One epoll set for all sockets of the data plane, itself waited for by its io_context.
class HangupWatch {
 public:
  enum class Hangup {
    fin,    // the peer will send no more; told only if asked for
    reset,  // the connection is dead: RST, or an error of the like. Unread bytes may still be there
  };
  using Handler = std::function<void(Hangup)>;

  /// Ends the watching. Must be gone before the socket is closed, and before the watch is.
  class Token {
   public:
    Token() = default;
    Token(HangupWatch& watch, int socket, uint64_t key) : watch_(&watch), socket_(socket), key_(key) {}
    Token(Token&& other) noexcept { *this = std::move(other); }
    Token& operator=(Token&& other) noexcept;
    ~Token() { end(); }
    void end();

   private:
    HangupWatch* watch_ = nullptr;
    int socket_ = -1;
    uint64_t key_ = 0;
  };

  explicit HangupWatch(boost::asio::io_context& io);
  /// The handler is called at most once for each kind of hang-up. When the kernel has no memory for one more,
  /// it is not: then a hang-up is noticed when the socket is next read or written.
  [[nodiscard]] Token watch(int socket, bool also_fin, Handler handler);
  /// Nothing is told any more; lets the io_context run out of work.
  void stop();

 private:
  struct Entry {
    int socket;
    Handler handler;
  };

  void wait();
  void collect();

  boost::asio::posix::stream_descriptor epoll_;
  std::map<uint64_t, Entry> watched_;
  uint64_t last_key_ = 0;
};

}  // namespace breakwire::relay
