#include "faults/relay/peer.h"

#include <boost/asio.hpp>

namespace breakwire::relay {

void Peer::open(Stream stream, bool also_fin, HangupWatch::Handler on_hangup) {
  stream_ = std::move(stream);
  prepare(stream_);
  hangup_ = plane_.hangups.watch(stream_.native_handle(), also_fin, std::move(on_hangup));
}

Peer::Read Peer::read(std::span<uint8_t> into) {
  boost::system::error_code error;
  const auto count = stream_.read_some(asio::buffer(into.data(), into.size()), error);
  if (!error) return {Read::data, into.first(count)};
  if (error == asio::error::would_block) return {};
  if (error == asio::error::eof) return {.what = Read::fin};
  return {.what = Read::reset};
}

std::optional<size_t> Peer::write(std::string_view bytes) {
  boost::system::error_code error;
  const auto count = stream_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
  if (!error) return count;
  if (error == asio::error::would_block) return 0;
  return std::nullopt;
}

void Peer::when_readable(std::function<void()> ready) {
  if (awaits_readable_ || !is_open()) return;
  awaits_readable_ = true;
  stream_.async_wait(Stream::wait_read, [this, ready = std::move(ready)](const auto& error) {
    awaits_readable_ = false;
    if (!error && is_open()) ready();
  });
}

void Peer::when_writable(std::function<void()> ready) {
  if (awaits_writable_ || !is_open()) return;
  awaits_writable_ = true;
  stream_.async_wait(Stream::wait_write, [this, ready = std::move(ready)](const auto& error) {
    awaits_writable_ = false;
    if (!error && is_open()) ready();
  });
}

bool Peer::make_deaf(bool deaf) {
  if (!deaf || !is_open() || !is_tcp(stream_)) {
    filter_.reset();
  } else if (!filter_) {
    if (auto filter = plane_.filters.drop_all(stream_.native_handle())) filter_.emplace(std::move(*filter));
  }
  return filter_.has_value();
}

void Peer::send_fin() {
  boost::system::error_code ignored;  // not connected any more: the next read says so
  stream_.shutdown(Stream::shutdown_send, ignored);
}

void Peer::reset() {
  boost::system::error_code ignored;
  stream_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void Peer::close() {
  hangup_.end();
  filter_.reset();  // what the kernel still has to say for it must be heard
  boost::system::error_code ignored;
  stream_.close(ignored);
}

}  // namespace breakwire::relay
