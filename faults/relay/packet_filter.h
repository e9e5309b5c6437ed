// Packets that vanish: a socket that is deaf to its peer. Touches the sockets it is given, and one pair of
// its own.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace breakwire::relay {

/// While it lives, the kernel drops every packet that comes in for the socket, before TCP sees it: data,
/// ACKs, FIN, RST, and on a listener SYN. So nothing is acknowledged, and the peer retransmits (RFC 9293
/// §3.8.1) until its patience ends or the filter is gone. What had come in before can still be read; what the
/// socket sends is not touched. Must be gone before the socket is closed.
class PacketFilter {
 public:
  PacketFilter(PacketFilter&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), before_(other.before_) {}
  PacketFilter& operator=(PacketFilter&&) = delete;
  ~PacketFilter();
  /// How many packets it has dropped; the kernel's count (SO_MEMINFO, sock_diag(7)).
  uint32_t dropped() const;

 private:
  friend class PacketFilters;
  explicit PacketFilter(int socket);
  int socket_;
  uint32_t before_ = 0;  // dropped for other reasons
};

/// What the kernel lets this process do. A filter is a classic BPF program (SO_ATTACH_FILTER, socket(7)) that
/// keeps nothing of any packet; kernels may want CAP_NET_ADMIN in the socket's network namespace for it.
class PacketFilters {
 public:
  /// Nothing when the kernel refuses, or when a filter turned out to have no effect here.
  std::optional<PacketFilter> drop_all(int socket);
  /// Tried on a connection of our own over loopback, when first asked: was what came in really dropped, and
  /// not acknowledged? Takes some microseconds, and at most 50 ms where it is not.
  bool effective();

 private:
  std::optional<bool> effective_;
};

}  // namespace breakwire::relay
