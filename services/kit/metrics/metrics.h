#pragma once
// The service's Prometheus metrics: counted call by call, read as text. Touches no socket; see endpoint.h.
//
// Names and labels are those of go-grpc-prometheus (github.com/grpc-ecosystem/go-grpc-prometheus), all of
// them, so that dashboards and alerts made for anybody's gRPC services work for these; codes are spelt as
// there ("DeadlineExceeded"). Our own, which nobody else's services have, are the timeouts and the dropped
// lines.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "services/kit/call_log.h"
#include "services/kit/flaws.h"

namespace breakwire::kit {

/// For each side ("server", "client") and each method that was called, labelled grpc_type, grpc_service and
/// grpc_method:
///   grpc_SIDE_started_total, grpc_SIDE_handled_total{grpc_code}, grpc_SIDE_handling_seconds (a histogram),
///   grpc_SIDE_msg_received_total, grpc_SIDE_msg_sent_total: messages of streams, and requests and responses;
/// and, our own, there with 0 from the first call on:
///   grpc_SIDE_timeouts_total: calls that ended with DEADLINE_EXCEEDED;
/// and log_lines_dropped_total. Thread-safe.
class Metrics {
 public:
  /// Heeds the flaw uncounted-timeouts. `dropped_lines` is asked at each reading and must not fall; it may be
  /// asked as long as this lives.
  Metrics(Flaws flaws, std::function<std::uint64_t()> dropped_lines);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// `method` is "pkg.Service/Method". Callers can invent methods, and each costs memory for ever: from the
  /// 257th on they are counted together, as grpc_service="other", grpc_method="other".
  void began(Side side, CallType type, const std::string& method);
  void ended(Side side, CallType type, const std::string& method, int code,
             std::chrono::microseconds duration);

  /// One message of a call. A request that gRPC sends again with a further attempt is sent once.
  void sent(Side side, CallType type, const std::string& method);
  void received(Side side, CallType type, const std::string& method);

  /// All of it in Prometheus' text exposition format 0.0.4.
  std::string text() const;

 private:
  struct Parts;
  const Flaws flaws_;
  const std::unique_ptr<Parts> parts_;
};

/// "DeadlineExceeded" for 4, as Go's codes.Code prints them; "Code(17)" for what is no gRPC code.
std::string metric_code(int code);

}  // namespace breakwire::kit
