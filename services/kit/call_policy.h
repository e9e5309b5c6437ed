#pragma once
// How this shop calls a dependency: with the caller's remaining deadline, cancelled with the caller, in the
// caller's trace, retried a little and only where that helps.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "services/kit/breaker.h"
#include "services/kit/flaws.h"
#include "services/kit/interceptors.h"

namespace breakwire::kit {

/// One call to a dependency; kept alive by its own completion callback.
template <class Request, class Response>
struct OutgoingCall {
  std::unique_ptr<grpc::ClientContext> context;
  Request request;
  Response response;
};

/// Thread-safe. Outlives the calls it was asked about.
class CallPolicy {
 public:
  /// `default_deadline` is what a call gets that arrived without a deadline.
  CallPolicy(Flaws flaws, std::chrono::milliseconds default_deadline)
      : flaws_(flaws), default_deadline_(default_deadline) {}

  /// Whether to serve a call at all: OK but for the flaw fail-one-in-ten.
  grpc::Status admit();

  /// The time by which a call must be over: its own deadline, or the default from now when it has none.
  std::chrono::system_clock::time_point deadline_of(const grpc::CallbackServerContext& incoming) const;

  /// A call to a dependency, made to serve `incoming`: never longer than it, ended when it is cancelled, in
  /// its trace.
  template <class Request, class Response>
  std::shared_ptr<OutgoingCall<Request, Response>> outgoing(
      const grpc::CallbackServerContext& incoming) const {
    return std::make_shared<OutgoingCall<Request, Response>>(
        OutgoingCall<Request, Response>{.context = context_for(incoming), .request = {}, .response = {}});
  }

  /// What to answer `incoming` with when its dependency failed with `status`. What the caller can act on is
  /// passed on; what is between us and the dependency becomes INTERNAL.
  /// An UNAVAILABLE that outlasted our own retries is answered with `grpc-retry-pushback-ms: -1`
  /// (gRFC A6): retries on every hop would multiply. So is one that a circuit breaker of ours made, with
  /// every flaw: whoever tried again would only be shed again.
  grpc::Status answer(grpc::CallbackServerContext& incoming, const grpc::Status& status) const;

  /// A channel to `target` (any gRPC target, e.g. "ipv4:127.0.0.1:1,127.0.0.1:2"), its calls logged and
  /// retried. Connects when first used; after a break it tries again within 100 to 300 ms.
  std::shared_ptr<grpc::Channel> dial(const std::string& target, CallLog& log) const;

  /// The same, guarded by a circuit breaker of its own; `dependency` is its name in the message of calls that
  /// were shed. A call counts once, with what its last attempt ended with. Shed calls are logged and never
  /// reach the wire. Without a breaker with the flaw no-breaker.
  std::shared_ptr<grpc::Channel> dial_guarded(const std::string& dependency, const std::string& target,
                                              CallLog& log, const BreakerOptions& breaker) const;

 private:
  std::shared_ptr<grpc::Channel> channel(const std::string& target, ClientInterceptors interceptors) const;
  std::unique_ptr<grpc::ClientContext> context_for(const grpc::CallbackServerContext& incoming) const;

  const Flaws flaws_;
  const std::chrono::milliseconds default_deadline_;
  EveryTenth tenth_;
};

/// The service config of `dial`: at most 3 attempts, 50 ms and then 100 ms apart with gRPC's jitter (± 20 %;
/// C-core 1.51 leaves the first pause as it is), on UNAVAILABLE only, within a budget; or what the flaws
/// no-retry, retry-everything, no-backoff and retry-storm make of it. C-core gives a call 5 attempts at most,
/// whatever a service config says: storms grow by hops.
/// With `replicas` the channel watches the readiness of each address (gRPC doc/health-checking.md, "Client side
/// health checking") and leaves one that is not ready: a replica that drains says so before it stops accepting, and a
/// C-core server may answer CANCELLED to a call that crosses its GOAWAY. A single address has nobody to leave it to.
std::string service_config(Flaws flaws, bool replicas = false);

}  // namespace breakwire::kit
