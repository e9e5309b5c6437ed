// One call on the wire: what is said and heard between its start and its one final status. A load drives
// these without knowing their shape; a streaming method is another Exchange.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace breakwire::load {

class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Starts the call. From here on its completions arrive at its queue, each with the Exchange as tag.
  virtual void begin() = 0;
  /// Takes one completion; true when it was the last, and `status` and `responses` are final.
  virtual bool advance(bool ok) = 0;

  /// From any thread, before or after `begin`. The call still ends through its queue.
  void cancel() { context.TryCancel(); }

  grpc::ClientContext context;  // deadline and metadata are set before `begin`
  uint64_t number = 0;
  grpc::Status status;
  uint64_t responses = 0;  // messages received
};

/// `path` is "/pkg.Service/Method".
std::unique_ptr<Exchange> unary_exchange(const std::shared_ptr<grpc::Channel>& channel,
                                         const std::string& path, const std::string& request,
                                         grpc::CompletionQueue& queue);

}  // namespace breakwire::load
