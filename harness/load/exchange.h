// One call on the wire: what is said and heard between its start and its one final status. A load drives
// these without knowing their shape.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

namespace breakwire::load {

class Exchange;

/// The tag of one operation of an Exchange at its queue.
struct Completion {
  Exchange& exchange;
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Starts the call. From here on its completions arrive at its queue, each with the address of a
  /// Completion as tag.
  virtual void begin() = 0;
  /// Takes one completion of its own; true when it was the last, and `status` and `responses` are final. Not
  /// to be called from two threads at a time.
  virtual bool advance(const Completion& completion, bool ok) = 0;

  /// From any thread, before or after `begin`. The call still ends through its queue.
  void cancel() { context.TryCancel(); }

  grpc::ClientContext context;  // deadline and metadata are set before `begin`
  uint64_t number = 0;
  grpc::Status status;
  uint64_t responses = 0;  // messages received
};

/// What a method's calls look like.
struct Shape {
  bool client_streaming = false;
  bool server_streaming = false;
};

/// What is called, and where its completions go. The queue outlives the exchange.
struct Callee {
  std::shared_ptr<grpc::Channel> channel;
  std::string path;  // "/pkg.Service/Method"
  Shape shape;
  grpc::CompletionQueue& queue;
};

/// A call that sends `messages`, serialised, one after the other as fast as flow control lets it, and closes
/// its side with the last; there is at least one, and exactly one unless the client streams. Meanwhile it
/// reads whatever is answered. An OK without exactly one response, from a method that does not stream them,
/// ends as UNIMPLEMENTED (grpc/grpc doc/statuscodes.md, "response cardinality violation").
std::unique_ptr<Exchange> make_exchange(const Callee& callee, const std::vector<std::string>& messages);

}  // namespace breakwire::load
