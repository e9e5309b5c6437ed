#include "faults/relay/stream.h"

#include <sys/socket.h>

#include <boost/asio.hpp>

namespace breakwire::relay {

std::string to_text(const Address& address) {
  if (const auto* path = std::get_if<UnixAddress>(&address)) return "unix:" + path->path;
  const auto& tcp = std::get<TcpAddress>(address);
  const bool ipv6 = tcp.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + tcp.host + "]" : tcp.host) + ":" + std::to_string(tcp.port);
}

std::vector<Endpoint> endpoints_of(const Address& address) {
  if (const auto* path = std::get_if<UnixAddress>(&address)) {
    return {Endpoint(asio::local::stream_protocol::endpoint(path->path))};
  }
  const auto& tcp = std::get<TcpAddress>(address);
  boost::system::error_code not_numeric;
  const auto numeric = asio::ip::make_address(tcp.host, not_numeric);
  if (!not_numeric) return {Endpoint(asio::ip::tcp::endpoint(numeric, tcp.port))};

  asio::io_context resolving;
  asio::ip::tcp::resolver resolver(resolving);
  boost::system::error_code error;
  std::vector<Endpoint> found;
  for (const auto& entry : resolver.resolve(tcp.host, std::to_string(tcp.port), error)) {
    found.emplace_back(entry.endpoint());
  }
  if (error) throw std::system_error(error, "cannot resolve " + tcp.host);
  return found;
}

Stream new_stream(asio::io_context& io, const Endpoint::protocol_type& protocol,
                  boost::system::error_code& error) {
  Stream stream(io);
  const int socket = ::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    error.assign(errno, boost::system::system_category());
  } else {
    stream.assign(protocol, socket, error);
  }
  return stream;
}

bool is_tcp(const Stream& stream) {
  boost::system::error_code ignored;
  const auto local = stream.local_endpoint(ignored);
  const int family = local.data()->sa_family;
  return family == AF_INET || family == AF_INET6;
}

void prepare(Stream& stream) {
  boost::system::error_code ignored;  // a peer that is gone already shows itself at the first read
  stream.non_blocking(true, ignored);
  if (is_tcp(stream)) stream.set_option(asio::ip::tcp::no_delay(true), ignored);
}

}  // namespace breakwire::relay
