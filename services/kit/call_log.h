#pragma once
// The one line that is written for every call. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "services/kit/trace.h"

namespace breakwire::kit {

enum class Side : std::uint8_t { server, client };
enum class CallType : std::uint8_t { unary, client_stream, server_stream, bidi_stream };

/// What is known of a call when it is over.
struct CallRecord {
  Side side = Side::server;
  CallType type = CallType::unary;
  std::chrono::system_clock::time_point began;
  std::string method;  ///< "shop.v1.OrdersService/CreateOrder", as scenario files spell it
  std::string
      peer;      ///< as gRPC names it: "ipv4:127.0.0.1:41234"; of a call nobody answered, what was dialled
  int code = 0;  ///< grpc-status
  std::string message;
  std::chrono::microseconds duration{0};
  std::optional<std::chrono::milliseconds>
      deadline_left;  ///< when the call began; nothing: it had no deadline
  /// From grpc-previous-rpc-attempts. Nothing on the client's side: gRPC retries below its interceptors and
  /// tells nobody how often.
  std::optional<int> attempt;
  Span span;
};

/// "FAILED_PRECONDITION" for 9; the number itself for what is not a gRPC code.
std::string code_name(int code);

/// {"ts":"2024-05-01T12:00:00.123Z","side":"server","method":…,"code":"OK","duration_ms":1.25,…} without a
/// newline. Bytes that are not UTF-8 are replaced; `message`, `deadline_left_ms`, `attempt` and `parent_id`
/// are left out when there is none.
std::string to_json_line(const std::string& service, const CallRecord& record);

}  // namespace breakwire::kit
