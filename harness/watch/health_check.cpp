#include "harness/watch/health_check.h"

#include "harness/load/channel.h"
#include "harness/load/values.h"
#include "harness/watch/health_messages.h"

namespace breakwire::watch {
namespace {

using history::HealthStatus;

}  // namespace

std::shared_ptr<grpc::Channel> open_health_channel(const std::string& target) {
  return load::open_channel({.target = target, .service_config = std::nullopt, .most_backoff = 100ms});
}

HealthCheck::HealthCheck(const std::shared_ptr<grpc::Channel>& channel, const std::string& name,
                         Instant asked, Duration timeout, grpc::CompletionQueue& queue, void* tag)
    : asked_(asked), stub_(channel), request_(load::buffer_of(health_request(name))) {
  // Otherwise a service that came back would be seen only when the back-off is over.
  if (channel->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE)
    grpc::experimental::ChannelResetConnectionBackoff(channel.get());
  context_.set_deadline(load::grpc_time(asked + timeout));
  reader_ = stub_.PrepareUnaryCall(&context_, "/grpc.health.v1.Health/Check", request_, &queue);
  reader_->StartCall();
  reader_->Finish(&response_, &status_, tag);
}

HealthAnswer HealthCheck::answer() const {
  if (status_.error_code() == grpc::StatusCode::NOT_FOUND)
    return {.status = HealthStatus::service_unknown, .error = {}};
  if (!status_.ok()) {
    return {.status = HealthStatus::unreachable, .error = load::sentence_of(status_)};
  }
  const auto number = health_status(load::bytes_of(response_));
  if (!number) return {.status = HealthStatus::unreachable, .error = "the answer is no HealthCheckResponse"};
  switch (*number) {
    case 1:
      return {.status = HealthStatus::serving, .error = {}};
    case 2:
      return {.status = HealthStatus::not_serving, .error = {}};
    case 3:
      return {.status = HealthStatus::service_unknown, .error = {}};
    default:
      return {.status = HealthStatus::unknown, .error = {}};
  }
}

}  // namespace breakwire::watch
