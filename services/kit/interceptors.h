#pragma once
// What happens on every call of every service: one JSON line when it is over, and the trace carried on.
// Health and reflection are not logged: they are about the service, not for anybody.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "services/kit/call_log.h"
#include "services/kit/line_writer.h"
#include "services/kit/trace.h"

namespace breakwire::kit {

/// Where the lines go. Outlives every server and channel that was given its interceptors.
class CallLog {
 public:
  CallLog(std::string service, int fd) : service_(std::move(service)), writer_(fd) {}
  void write(const CallRecord& record) { writer_.write(to_json_line(service_, record)); }

  /// Waits until what was written so far is out, for at most 200 ms.
  void flush() { writer_.flush(); }

  /// Calls this service has accepted and not yet answered.
  std::atomic<int> in_flight{0};

 private:
  const std::string service_;
  LineWriter writer_;
};

using ServerInterceptors =
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>;
using ClientInterceptors =
    std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;

/// Logs every call and gives it a span, a child of its caller's. Needs `span_carrying_contexts` on the same
/// server.
ServerInterceptors server_interceptors(CallLog& log);

/// Logs every call and sends it out with a span of its own: a child of the one in its `traceparent`, put
/// there by `carry_trace`, or of a new trace. With retries by service config all attempts carry that one
/// span.
ClientInterceptors client_interceptors(CallLog& log);

/// Contexts with room for the call's span; for ServerBuilder::SetContextAllocator.
std::unique_ptr<grpc::ContextAllocator> span_carrying_contexts();

/// Makes `outgoing` part of the trace of the call it is made for.
void carry_trace(const grpc::CallbackServerContext& incoming, grpc::ClientContext& outgoing);

}  // namespace breakwire::kit
