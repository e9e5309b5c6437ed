// Connections of breakwire itself to an edge: each channel has one of its own, and none retries, proxies or
// backs off in a way that would change what is measured.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/duration.h"

namespace grpc {
class Channel;
}

namespace breakwire::load {

struct ChannelOptions {
  std::string target;  // host:port, or a URI of gRPC's name syntax ("ipv4:a:1,b:2")
  /// JSON text of a gRPC service config; with it the library's own retries are on. gRPC C++ 1.51.1 then
  /// aborts the process on trailers without a grpc-status (grpc/grpc#34683), which is why they are off
  /// otherwise.
  std::optional<std::string> service_config;
  Duration first_backoff = 100ms;  // between a failed attempt to connect and the next; gRPC's least is 100 ms
  Duration most_backoff = 500ms;   // grows by 1.6 to this, so that a healed edge is used again at once
  Duration connect_timeout =
      2s;  // until the peer's SETTINGS; longer than any delay a scenario is likely to add
};

/// A channel that shares no connection with any other, not even one of the same target. No HTTP proxy of the
/// environment applies, no service config comes from DNS. Does not connect yet.
std::shared_ptr<grpc::Channel> open_channel(const ChannelOptions& options);

/// Asks for a connection and waits until there is one or the first attempt has failed, at most `within`.
bool connect(grpc::Channel& channel, Duration within);

}  // namespace breakwire::load
