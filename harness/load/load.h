// Drives calls to any method of any service over gRPC C++'s generic stubs, and tells what became of each.
// Touches the network through the gRPC library only; records CallIssued, CallCancelled, CallDone, LoadBegan
// and LoadEnded.
#pragma once

#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "harness/history/sink.h"
#include "harness/scenario/scenario.h"

namespace breakwire::load {

/// One method, found: what a request looks like on the wire.
class Method {
 public:
  virtual ~Method() = default;
  virtual bool client_streaming() const = 0;
  virtual bool server_streaming() const = 0;
  /// JSON (proto3 mapping) -> serialised message. Errors name the unknown field and are placed at `request`'s
  /// span.
  virtual Result<std::string> encode(const json::Value& request) const = 0;
};

/// Finds `method` ("pkg.Service/Method") by reflection at `target` (v1, then v1alpha), in a descriptor set,
/// or in .proto files, as `descriptors` says. Errors: no such service or method (with what there is), no
/// reflection, an unreadable file, a target that does not answer within `within`; placed at `span`. A
/// request to `stop` ends the waiting for an answer at once, with an error. `unanswered` is set when the
/// error is that reflection could not be asked, which says nothing about `method`.
Result<std::shared_ptr<const Method>> find_method(const std::string& method,
                                                  const scenario::Descriptors& descriptors,
                                                  const std::string& target, Duration within,
                                                  const json::Span& span, const std::stop_token& stop = {},
                                                  bool* unanswered = nullptr);

/// What a call of the load sends: its `messages`, or its `request`. Never empty.
std::vector<const json::Value*> messages_of(const scenario::Load& load);

/// What is wrong with a load that only its method and gRPC itself can tell: a message that does not fit,
/// `messages` for a method that takes one, a service config or metadata gRPC does not take. Placed in the
/// message, the service config, or at the load.
ErrorList problems_of(const scenario::Load& load, const Method& method, uint64_t seed);

struct LoadOptions {
  scenario::Load load;
  std::shared_ptr<const Method> method;
  std::string target;  // host:port of the edge
  uint64_t seed = 0;   // call ids, trace ids and `${uuid}` are pure functions of (seed, load, call number)
  // Top-level fields of the request that go into CallIssued::fields; of a stream, of its first message.
  std::set<std::string> fields;
};

/// A load under way. Constructed means begun; it ends by itself (LoadEnded), by `stop`, or by the destructor,
/// which cancels what is in flight and waits for it.
class RunningLoad {
 public:
  virtual ~RunningLoad() = default;
  /// Begins no further calls; those in flight go on.
  virtual void stop() = 0;
  virtual bool ended() const = 0;
  /// Calls that began later than intended by more than 5 ms (the machine or the client was too slow).
  virtual uint64_t late_starts() const = 0;
};

/// Connects first, for at most 300 ms (a connection that fails is told by the calls), then begins: call `n`
/// of an open model is due at begin + (n-1)/rate, overdue calls begin at once. A closed model keeps
/// `concurrency` calls in flight; after a call that failed its slot rests for 10 ms, or a refused connection
/// would be a busy loop. No call begins from begin + `length` on. Calls do not wait for a connection
/// (UNAVAILABLE at once when there is none); one that failed is dialled again after 100 ms, growing by 1.6 to
/// 500 ms. gRPC's own retries are on only with a `service_config`. A deadline counts from the moment a call
/// is issued; `cancel_after` from there too, and what is over by then is not cancelled. Throws
/// std::runtime_error with the text of `problems_of` when there are any. The load must not outlive `sink`.
std::unique_ptr<RunningLoad> start(LoadOptions options, history::Sink& sink);

/// The ids of one call, as the load stamps them.
struct CallIds {
  std::string call_id;   // "shoppers-17"
  std::string trace_id;  // 32 hex digits
  std::string span_id;   // 16 hex digits
  std::string uuid;      // RFC 9562 version 4 layout
};
CallIds ids_of(uint64_t seed, const LoadId& load, uint64_t number);

}  // namespace breakwire::load
