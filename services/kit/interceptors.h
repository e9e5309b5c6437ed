#pragma once
// What happens on every call of every service: one JSON line when it is over, its place in the metrics, and
// the trace carried on. Health and reflection are left out: they are about the service, not for anybody.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "services/kit/call_log.h"
#include "services/kit/flaws.h"
#include "services/kit/line_writer.h"
#include "services/kit/metrics/metrics.h"
#include "services/kit/trace.h"

namespace breakwire::kit {

/// Where the lines go and the counters are. Outlives every server and channel that was given its
/// interceptors.
class CallLog {
 public:
  /// Lines go to `fd`, which is not owned; when nobody reads it, `lines` of them are kept and the rest is
  /// dropped and counted. Heeds the flaws log-only-success, uncounted-timeouts, no-trace and trace-crosstalk.
  CallLog(std::string service, int fd, Flaws flaws = {}, std::size_t lines = 8192);

  /// Once for each call, when it begins and when it is over. Never waits for anybody.
  void began(const CallRecord& record) { metrics_.began(record.side, record.type, record.method); }
  void ended(const CallRecord& record);

  /// For each message of a call. Never waits for anybody.
  void sent(const CallRecord& record) { metrics_.sent(record.side, record.type, record.method); }
  void received(const CallRecord& record) { metrics_.received(record.side, record.type, record.method); }

  const Metrics& metrics() const { return metrics_; }
  Flaws flaws() const { return flaws_; }

  /// Waits until what was written so far is out, for at most 200 ms.
  void flush() { writer_.flush(); }

  /// Calls this service has accepted and not yet answered.
  std::atomic<int> in_flight{0};

 private:
  const std::string service_;
  const Flaws flaws_;
  LineWriter writer_;
  Metrics metrics_;
};

using ServerInterceptors =
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>;
using ClientInterceptors =
    std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;

/// Logs and counts every call, once, counts its messages, and gives it a span, a child of its caller's. A
/// call that its caller or its deadline ended is over then, however long its handler goes on:
/// DEADLINE_EXCEEDED when its time was up, else CANCELLED. Needs `span_carrying_contexts` on the same server.
ServerInterceptors server_interceptors(CallLog& log);

/// Logs and counts every call, once, and its messages (cancelled because its time was up it is
/// DEADLINE_EXCEEDED too, though its caller hears of it as CANCELLED when the call it serves was cancelled
/// first), and sends it out with a span of its own: a child of the one in its `traceparent`, put there by
/// `carry_trace`, or of a new trace. With retries by service config all attempts carry that one span.
ClientInterceptors client_interceptors(CallLog& log);

/// Contexts with room for the call's span; for ServerBuilder::SetContextAllocator.
std::unique_ptr<grpc::ContextAllocator> span_carrying_contexts();

/// Makes `outgoing` part of the trace of the call it is made for.
void carry_trace(const grpc::CallbackServerContext& incoming, grpc::ClientContext& outgoing);

}  // namespace breakwire::kit
