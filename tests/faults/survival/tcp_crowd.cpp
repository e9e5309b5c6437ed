#include "tests/faults/survival/tcp_crowd.h"

#include <fcntl.h>

#include <algorithm>

namespace breakwire::relay::testing {
namespace {

constexpr size_t most_owed = 256 * 1024;
constexpr size_t one_read = 64 * 1024;

void make_non_blocking(const Socket& socket) { ::fcntl(socket.fd(), F_SETFL, O_NONBLOCK); }

std::string http2_opening() {
  return std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9);
}

}  // namespace

// ---- The server

TcpEcho::TcpEcho(uint64_t seed) : rng_(seed) {
  EXPECT_EQ(::pipe2(stop_, O_CLOEXEC), 0);
  thread_ = std::thread([this] { work(); });
}

TcpEcho::~TcpEcho() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
}

void TcpEcho::hang_up() { EXPECT_EQ(::write(stop_[1], "h", 1), 1); }

void TcpEcho::work() {
  std::vector<Guest> guests;
  std::vector<pollfd> polled;
  while (true) {
    polled.assign({{.fd = stop_[0], .events = POLLIN, .revents = 0},
                   {.fd = listener_.fd(), .events = POLLIN, .revents = 0}});
    for (const auto& guest : guests) {
      const bool reads = !guest.ended && guest.owed.size() < most_owed;
      const auto events = static_cast<short>((reads ? POLLIN : 0) | (guest.owed.empty() ? 0 : POLLOUT));
      polled.push_back({.fd = guest.socket.fd(), .events = events, .revents = 0});
    }
    ::poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) {
      char what = 0;
      if (::read(stop_[0], &what, 1) <= 0) return;
      guests.clear();
      continue;
    }
    size_t at = 2;
    std::erase_if(guests, [&](Guest& guest) { return serve(guest, polled[at++].revents); });
    if (polled[1].revents == 0) continue;
    Guest guest{.socket = listener_.accept(), .owed = {}};
    make_non_blocking(guest.socket);
    if (rng_.next() % 8 == 0) guest.until_reset = rng_.next() % 2'000;
    guests.push_back(std::move(guest));
  }
}

/// Answers whether it is over.
bool TcpEcho::serve(Guest& guest, short events) {
  if (events == 0) return false;
  char buffer[one_read];
  if ((events & (POLLIN | POLLHUP | POLLERR)) && !guest.ended && guest.owed.size() < most_owed) {
    const auto got = ::recv(guest.socket.fd(), buffer, sizeof buffer, 0);
    if (got < 0 && errno != EAGAIN) return true;
    if (got == 0) guest.ended = true;
    if (got > 0) {
      guest.owed.append(buffer, static_cast<size_t>(got));
      guest.heard += static_cast<size_t>(got);
    }
  } else if (events & (POLLHUP | POLLERR)) {
    return true;
  }
  if (guest.heard > guest.until_reset) {
    guest.socket.reset();
    return true;
  }
  if (!guest.owed.empty()) {
    const auto sent = ::send(guest.socket.fd(), guest.owed.data(), guest.owed.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return true;
    if (sent > 0) guest.owed.erase(0, static_cast<size_t>(sent));
  }
  return guest.ended && guest.owed.empty();
}

// ---- The clients

TcpCrowd::TcpCrowd(uint16_t port, uint64_t seed, size_t at_once)
    : port_(port), rng_(seed), at_once_(at_once) {}

TcpCrowd::Sums TcpCrowd::run(const std::function<bool(const Sums&)>& enough) {
  while (true) {
    const bool over = enough(sums_);
    if (over && clients_.empty()) return sums_;
    while (!over && clients_.size() < at_once_ && !enough(sums_)) come();
    std::vector<pollfd> polled;
    auto next = Clock::now() + patience;
    for (const auto& client : clients_) {
      const bool writes = !client.connected || client.said < client.says.size();
      polled.push_back({.fd = client.socket.fd(),
                        .events = static_cast<short>(POLLIN | (writes ? POLLOUT : 0)),
                        .revents = 0});
      next = std::min(next, client.until);
    }
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<int64_t>(wait.count(), 0)));
    size_t at = 0;
    std::erase_if(clients_, [&](Client& client) { return act(client, polled[at++].revents); });
  }
}

void TcpCrowd::come() {
  Client client;
  client.socket = Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  EXPECT_GE(client.socket.fd(), 0);
  if (rng_.next() % 4 == 0) client.says = http2_opening();
  client.says.append(rng_.next() % 4 == 0 ? rng_.next() % 100'000 : rng_.next() % 3'000, 'x');
  client.half_closes = rng_.next() % 4 == 0;
  client.resets = rng_.next() % 3 == 0;
  client.until = Clock::now() + std::chrono::milliseconds(5 + rng_.next() % 60);
  const auto address = loopback(port_);
  ++sums_.dialled;
  const int result =
      ::connect(client.socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result != 0 && errno != EINPROGRESS) {
    ++sums_.refused;
    ++sums_.gone;
    return;
  }
  clients_.push_back(std::move(client));
}

bool TcpCrowd::act(Client& client, short events) {
  if (!client.connected && (events & (POLLOUT | POLLHUP | POLLERR))) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(client.socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      ++sums_.refused;
      return leave(client);
    }
    client.connected = true;
  }
  if (client.connected && client.said < client.says.size() && (events & POLLOUT)) {
    const auto sent = ::send(client.socket.fd(), client.says.data() + client.said,
                             client.says.size() - client.said, MSG_NOSIGNAL);
    if (sent > 0) client.said += static_cast<size_t>(sent);
  }
  if (client.half_closes && !client.half_closed && client.connected && client.said == client.says.size()) {
    client.socket.send_fin();
    client.half_closed = true;
  }
  if (events & (POLLIN | POLLHUP | POLLERR)) {
    char buffer[one_read];
    const auto got = ::recv(client.socket.fd(), buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      ++(client.heard == client.says.size() ? sums_.echoed : sums_.cut_off);
      return leave(client);
    }
    if (got > 0) client.heard += static_cast<size_t>(got);
  }
  if (client.heard >= client.says.size() && client.connected && !client.half_closes) {
    ++sums_.echoed;
    return leave(client);
  }
  if (Clock::now() < client.until) return false;
  ++sums_.gave_up;
  return leave(client);
}

bool TcpCrowd::leave(Client& client) {
  ++sums_.gone;
  if (client.resets) client.socket.reset();
  return true;
}

}  // namespace breakwire::relay::testing
