#include "faults/relay/peer.h"

#include <array>
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

std::optional<size_t> Peer::write(const http2::Gathered& bytes) {
  if (bytes.pieces() == 1) return write(bytes.piece(0));
  std::array<asio::const_buffer, 32> buffers;
  size_t written = 0;
  for (size_t next = 0; next < bytes.pieces();) {
    size_t offered = 0;
    for (auto& buffer : buffers) {
      const auto piece = next < bytes.pieces() ? bytes.piece(next++) : std::string_view{};
      buffer = asio::buffer(piece.data(), piece.size());
      offered += piece.size();
    }
    boost::system::error_code error;
    const size_t count = stream_.write_some(buffers, error);
    if (error && error != asio::error::would_block) {
      if (written > 0) return written;  // the peer has got that much; the next write says the rest
      return std::nullopt;
    }
    written += count;
    if (count < offered) break;
  }
  return written;
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
