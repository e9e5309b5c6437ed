// The socket type of the network layer: a byte stream, over TCP or a Unix path alike.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

#include "faults/relay/network.h"

namespace breakwire::relay {

namespace asio = boost::asio;
using Stream = asio::generic::stream_protocol::socket;
using Endpoint = asio::generic::stream_protocol::endpoint;

/// What can be dialled for an address: its path, its numeric host, or what its host name resolves to now
/// (blocking). Throws std::system_error when there is nothing.
std::vector<Endpoint> endpoints_of(const Address& address);

/// A new socket for that protocol. No child process inherits it, started at whatever moment: a FIN is sent
/// when the last holder closes. Not open when there are no descriptors; `error` says so.
Stream new_stream(asio::io_context& io, const Endpoint::protocol_type& protocol,
                  boost::system::error_code& error);

/// Is it over TCP, where there are packets and acknowledgements?
bool is_tcp(const Stream& stream);

/// Bytes go out when they are written, never held back for more (TCP_NODELAY), and no call on it blocks.
void prepare(Stream& stream);

}  // namespace breakwire::relay
