#include "harness/load/channel.h"

#include <grpcpp/grpcpp.h>

namespace breakwire::load {
namespace {

int milliseconds(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// An address literal needs no resolver: gRPC's DNS resolver re-resolves at most every 30 s.
std::string uri_of(const std::string& target) {
  const bool literal = !target.empty() && target.find_first_not_of("0123456789.:") == std::string::npos;
  return literal ? "ipv4:" + target : target;
}

}  // namespace

std::shared_ptr<grpc::Channel> open_channel(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, milliseconds(options.first_backoff));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, milliseconds(options.most_backoff));
  // Despite its name this is how long one attempt may take (doc/connection-backoff.md, MIN_CONNECT_TIMEOUT).
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, milliseconds(options.connect_timeout));
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, options.service_config ? 1 : 0);
  if (options.service_config) arguments.SetServiceConfigJSON(*options.service_config);
  return grpc::CreateCustomChannel(uri_of(options.target), grpc::InsecureChannelCredentials(), arguments);
}

bool connect(grpc::Channel& channel, Duration within) {
  const auto deadline = std::chrono::system_clock::now() + within;
  auto state = channel.GetState(true);
  while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE &&
         state != GRPC_CHANNEL_SHUTDOWN) {
    if (!channel.WaitForStateChange(state, deadline)) break;
    state = channel.GetState(true);
  }
  return state == GRPC_CHANNEL_READY;
}

}  // namespace breakwire::load
