#include "faults/relay/packet_filter.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace breakwire::relay {
namespace {

/// "Return 0": of each packet the first 0 bytes are kept, which drops it.
bool attach(int socket) {
  std::array<sock_filter, 1> program{{{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0}}};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

void detach(int socket) {
  const int unused = 0;
  ::setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

struct Deaf {
  int socket;
  ~Deaf() { detach(socket); }
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

Descriptor new_socket() { return Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

/// How many packets for this socket were thrown away.
uint32_t dropped_for(int socket) {
  std::array<uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

uint32_t unacknowledged_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_unacked;
}

/// One byte is sent to a filtered socket: either it is seen to be dropped and stays unacknowledged, or it
/// arrives, or nothing can be told in time.
bool drops_on_a_real_connection() {
  const auto listener = new_socket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0) return false;
  if (::getsockname(listener, generic, &size) != 0) return false;
  const auto sender = new_socket();
  if (::connect(sender, generic, size) != 0) return false;  // over loopback, into the backlog: at once
  const Descriptor deaf(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (deaf < 0 || !attach(deaf)) return false;
  const Deaf until_closed{deaf};
  const auto before = dropped_for(deaf);
  if (::send(sender, "x", 1, MSG_NOSIGNAL) != 1) return false;
  using Clock = std::chrono::steady_clock;
  for (const auto end = Clock::now() + std::chrono::milliseconds(50); Clock::now() < end;) {
    if (dropped_for(deaf) > before) return unacknowledged_of(sender) > 0;
    pollfd arrival{.fd = deaf, .events = POLLIN, .revents = 0};
    if (::poll(&arrival, 1, 1) == 1) return false;
  }
  return false;
}

}  // namespace

PacketFilter::PacketFilter(int socket) : socket_(socket), before_(dropped_for(socket)) {}

uint32_t PacketFilter::dropped() const { return std::max(dropped_for(socket_), before_) - before_; }

PacketFilter::~PacketFilter() {
  if (socket_ >= 0) detach(socket_);
}

std::optional<PacketFilter> PacketFilters::drop_all(int socket) {
  if (!effective() || !attach(socket)) return std::nullopt;
  return PacketFilter(socket);
}

bool PacketFilters::effective() {
  if (!effective_) effective_ = drops_on_a_real_connection();
  return *effective_;
}

}  // namespace breakwire::relay
