#include "services/kit/call_policy.h"

#include "services/kit/leak.h"

namespace breakwire::kit {
namespace {

using namespace std::chrono_literals;
using SystemClock = std::chrono::system_clock;

/// Whether callers are left to retry what we gave up.
bool invites_retries(Flaws flaws) {
  return flaws.has(Flaw::no_retry) || flaws.has(Flaw::retry_everything) || flaws.has(Flaw::retry_storm);
}

}  // namespace

grpc::Status CallPolicy::admit() {
  if (flaws_.has(Flaw::fail_one_in_ten) && tenth_.hit())
    return {grpc::StatusCode::INTERNAL, "one call in ten fails here (--flaw=fail-one-in-ten)"};
  return grpc::Status::OK;
}

SystemClock::time_point CallPolicy::deadline_of(const grpc::CallbackServerContext& incoming) const {
  auto given = incoming.deadline();
  return given == SystemClock::time_point::max() ? SystemClock::now() + default_deadline_ : given;
}

std::unique_ptr<grpc::ClientContext> CallPolicy::context_for(
    const grpc::CallbackServerContext& incoming) const {
  std::unique_ptr<grpc::ClientContext> context;
  if (flaws_.has(Flaw::no_deadline)) {
    context = std::make_unique<grpc::ClientContext>();
  } else if (flaws_.has(Flaw::no_propagation)) {
    context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(SystemClock::now() + 5s);
  } else {
    context =
        grpc::ClientContext::FromCallbackServerContext(incoming);  // deadline and cancellation come along
    context->set_deadline(deadline_of(incoming));
  }
  carry_trace(incoming, *context);
  return context;
}

grpc::Status CallPolicy::answer(grpc::CallbackServerContext& incoming, const grpc::Status& status) const {
  if (flaws_.has(Flaw::leaky) && !status.ok()) leak_a_call();
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:  // with our own call, as a rule: gRPC cancels what was made to serve it
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return status;
    case grpc::StatusCode::UNAVAILABLE:
      if (is_shed(status) || !invites_retries(flaws_))
        incoming.AddTrailingMetadata("grpc-retry-pushback-ms", "-1");
      return is_shed(status) ? grpc::Status(status.error_code(), status.error_message()) : status;
    default:
      return {grpc::StatusCode::INTERNAL, "a dependency failed: " + status.error_message()};
  }
}

std::string service_config(Flaws flaws, bool replicas) {
  // round_robin reconnects of itself after a break, pick_first only when the next call comes.
  std::string config = R"({"loadBalancingConfig":[{"round_robin":{}}])";
  if (replicas) config += R"(,"healthCheckConfig":{"serviceName":"readiness"})";
  if (flaws.has(Flaw::no_retry)) return config + "}";
  std::string codes = R"("UNAVAILABLE")";
  const bool storm = flaws.has(Flaw::retry_storm);
  if (flaws.has(Flaw::retry_everything) || storm) {
    codes =
        R"("CANCELLED","UNKNOWN","INVALID_ARGUMENT","DEADLINE_EXCEEDED","NOT_FOUND","ALREADY_EXISTS",)"
        R"("PERMISSION_DENIED","RESOURCE_EXHAUSTED","FAILED_PRECONDITION","ABORTED","OUT_OF_RANGE","UNIMPLEMENTED",)"
        R"("INTERNAL","UNAVAILABLE","DATA_LOSS","UNAUTHENTICATED")";
  } else {
    // 200 failures in a row stop retries; ten successes buy one back.
    config += R"(,"retryThrottling":{"maxTokens":400,"tokenRatio":0.1})";
  }
  // A pause of nothing is not valid; one of 1 ms has no room for jitter either.
  const bool at_once = storm || flaws.has(Flaw::no_backoff);
  config += R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":)" +
            std::string(storm ? "5" : "3") + R"(,"initialBackoff":")" + (at_once ? "0.001s" : "0.05s") +
            R"(","maxBackoff":")" + (at_once ? "0.001s" : "0.4s") + R"(","backoffMultiplier":)" +
            (at_once ? "1" : "2") + R"(,"retryableStatusCodes":[)" + codes + "]}}]}";
  return config;
}

std::shared_ptr<grpc::Channel> CallPolicy::dial(const std::string& target, CallLog& log) const {
  return channel(target, client_interceptors(log));
}

std::shared_ptr<grpc::Channel> CallPolicy::dial_guarded(const std::string& dependency,
                                                        const std::string& target, CallLog& log,
                                                        const BreakerOptions& breaker) const {
  auto interceptors = client_interceptors(log);
  if (!flaws_.has(Flaw::no_breaker))
    interceptors.push_back(breaker_interceptor(std::make_shared<Breaker>(dependency, breaker, flaws_)));
  return channel(target, std::move(interceptors));
}

std::shared_ptr<grpc::Channel> CallPolicy::channel(const std::string& target,
                                                   ClientInterceptors interceptors) const {
  grpc::ChannelArguments arguments;
  const bool replicas = target.find(',') != std::string::npos;
  arguments.SetServiceConfigJSON(service_config(flaws_, replicas));
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, flaws_.has(Flaw::no_retry) ? 0 : 1);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);  // less is raised to 100 by C-core
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 300);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);  // what one attempt to connect may take
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, grpc::InsecureChannelCredentials(),
                                                                 arguments, std::move(interceptors));
}

}  // namespace breakwire::kit
