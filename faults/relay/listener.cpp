#include "faults/relay/listener.h"

#include <sys/socket.h>

#include <boost/asio.hpp>
#include <utility>

namespace breakwire::relay {
namespace {

using asio::ip::tcp;

constexpr auto pause_when_exhausted = std::chrono::milliseconds(20);
constexpr int accepts_in_a_row = 64;  // then others get their turn

asio::ip::address host_of(const TcpAddress& address) {
  if (address.host == "127.0.0.1" || address.host == "localhost") return asio::ip::address_v4::loopback();
  throw std::system_error(std::make_error_code(std::errc::address_not_available),
                          "cannot listen on `" + address.host + "`: relays listen on 127.0.0.1");
}

}  // namespace

Listener::Listener(Plane& plane, const TcpAddress& address, Callbacks callbacks)
    : plane_(plane),
      callbacks_(std::move(callbacks)),
      endpoint_(host_of(address), address.port),
      acceptor_(plane.io),
      pause_(plane.io) {
  reservation_ = address.port == 0 ? PortReservation() : PortReservation(address.port);
  endpoint_.port(reservation_->port());
  if (const auto error = listen()) {
    throw std::system_error(error, "cannot listen on " + to_text(Address(this->address())));
  }
  wait();
}

TcpAddress Listener::address() const {
  return {.host = endpoint_.address().to_string(), .port = endpoint_.port()};
}

void Listener::stop_listening() {
  boost::system::error_code ignored;
  ++spell_;
  pause_.cancel();
  hear_again();
  acceptor_.close(ignored);
}

void Listener::listen_again() {
  if (!listen()) return wait();
  // The port is ours, so what is missing is a descriptor or memory.
  boost::system::error_code ignored;
  hear_again();
  acceptor_.close(ignored);
  retry(&Listener::listen_again);
}

bool Listener::make_deaf(bool deaf) {
  deaf_ = deaf;
  apply_deafness();
  return acceptor_.is_open() ? filter_.has_value() == deaf : plane_.filters.effective();
}

void Listener::apply_deafness() {
  if (!deaf_ || !acceptor_.is_open()) {
    hear_again();
  } else if (!filter_) {
    if (auto filter = plane_.filters.drop_all(acceptor_.native_handle())) filter_.emplace(std::move(*filter));
  }
}

void Listener::hear_again() {
  lost_ = lost();
  filter_.reset();
}

void Listener::close() {
  stop_listening();
  reservation_.reset();
}

boost::system::error_code Listener::listen() {
  boost::system::error_code error;
  const int socket = ::socket(endpoint_.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return {errno, boost::system::system_category()};
  acceptor_.assign(endpoint_.protocol(), socket, error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) acceptor_.bind(endpoint_, error);
  apply_deafness();
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

void Listener::wait() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this, spell = spell_](const auto& error) {
    if (error || spell != spell_) return;
    accept();
  });
}

void Listener::accept() {
  const auto spell = spell_;
  for (int count = 0; count < accepts_in_a_row; ++count) {
    const int socket = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      const int reason = errno;
      if (reason == EINTR || reason == ECONNABORTED) continue;
      if (reason == EAGAIN) break;
      if (!std::exchange(exhausted_, true)) callbacks_.exhausted();
      return retry(&Listener::accept);
    }
    exhausted_ = false;
    Stream stream(plane_.io);
    stream.assign(Endpoint::protocol_type(endpoint_.protocol()), socket);
    callbacks_.accepted(std::move(stream));
    if (spell != spell_) return;
  }
  wait();
}

void Listener::retry(void (Listener::*what)()) {
  pause_.expires_after(pause_when_exhausted);
  pause_.async_wait([this, what, spell = spell_](const boost::system::error_code& cancelled) {
    if (!cancelled && spell == spell_) (this->*what)();
  });
}

}  // namespace breakwire::relay
