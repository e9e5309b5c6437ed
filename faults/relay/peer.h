// One of the two sockets of a relayed connection: what can be done to it, and what it tells.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "faults/http2/output.h"
#include "faults/relay/plane.h"
#include "faults/relay/stream.h"

namespace breakwire::relay {

/// Nothing here blocks or throws, and nothing is decided here. A peer is unopened, open, or closed for good.
/// Handlers are called from the io_context, never from within a call; they must keep the peer alive.
class Peer {
 public:
  struct Read {
    enum What { data, nothing_yet, fin, reset } what = nothing_yet;
    std::span<const uint8_t> bytes;
  };

  explicit Peer(Plane& plane) : plane_(plane), stream_(plane.io) {}

  /// `on_hangup` is told of a RST at any time (and of a FIN if `also_fin`) without reading; see HangupWatch.
  void open(Stream stream, bool also_fin, HangupWatch::Handler on_hangup);
  bool is_open() const { return stream_.is_open(); }

  Read read(std::span<uint8_t> into);
  /// How many bytes the kernel took; nothing when the peer is gone.
  std::optional<size_t> write(std::string_view bytes);
  std::optional<size_t> write(const http2::Gathered& bytes);
  /// Calls `ready` once when the socket is readable (or writable), unless it is asked for already or the peer
  /// is closed first.
  template <class Ready>
  void when_readable(Ready ready) {
    if (awaits_readable_ || !is_open()) return;
    awaits_readable_ = true;
    stream_.async_wait(Stream::wait_read,
                       [this, ready = std::move(ready)](const boost::system::error_code& error) {
                         awaits_readable_ = false;
                         if (!error && is_open()) ready();
                       });
  }
  template <class Ready>
  void when_writable(Ready ready) {
    if (awaits_writable_ || !is_open()) return;
    awaits_writable_ = true;
    stream_.async_wait(Stream::wait_write,
                       [this, ready = std::move(ready)](const boost::system::error_code& error) {
                         awaits_writable_ = false;
                         if (!error && is_open()) ready();
                       });
  }
  bool awaits_writable() const { return awaits_writable_; }

  /// While `deaf`, its packets are lost before TCP sees them (PacketFilter). Answers whether that is so;
  /// never of a Unix stream, which has no packets.
  bool make_deaf(bool deaf);

  void send_fin();
  /// A true TCP RST (a Unix stream has none: it is closed, and the peer sees what a crash would show it).
  void reset();
  void close();

 private:
  Plane& plane_;
  Stream stream_;
  HangupWatch::Token hangup_;
  std::optional<PacketFilter> filter_;
  bool awaits_readable_ = false;
  bool awaits_writable_ = false;
};

}  // namespace breakwire::relay
