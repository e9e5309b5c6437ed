// One Check of grpc.health.v1 on the wire.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "harness/history/event.h"

namespace breakwire::watch {

/// What a Check said.
struct HealthAnswer {
  history::HealthStatus status = history::HealthStatus::unreachable;
  std::string error;  // with `unreachable`: "UNAVAILABLE: …", the call's code and message
};

/// A channel whose only work is health: refused or reset, it is dialled again at the next Check.
std::shared_ptr<grpc::Channel> open_health_channel(const std::string& target);

/// A Check that has begun; its one completion arrives at `queue` with `tag`, after `timeout` at the latest.
/// NOT_FOUND is `service_unknown`, any other status but OK `unreachable`. Destroy it only after its
/// completion.
class HealthCheck {
 public:
  HealthCheck(const std::shared_ptr<grpc::Channel>& channel, const std::string& name, Instant asked,
              Duration timeout, grpc::CompletionQueue& queue, void* tag);
  HealthCheck(const HealthCheck&) = delete;
  HealthCheck& operator=(const HealthCheck&) = delete;

  Instant asked() const { return asked_; }
  void cancel() { context_.TryCancel(); }
  /// After the completion.
  HealthAnswer answer() const;

 private:
  Instant asked_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, response_;
  grpc::Status status_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
};

}  // namespace breakwire::watch
