// gRPC traffic for long runs, in a process of its own: an echo service, and callers that come and go. What
// the relay holds can then be told from what gRPC keeps for itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

namespace breakwire::relay::testing {

/// A child of this process, which must have no threads yet (fork(2)); the destructor ends it. When the child
/// is gone, what is asked of it throws std::runtime_error.
class GrpcCrowd {
 public:
  GrpcCrowd();
  ~GrpcCrowd();
  GrpcCrowd(const GrpcCrowd&) = delete;
  GrpcCrowd& operator=(const GrpcCrowd&) = delete;

  /// Starts an echo service and answers where it listens.
  uint16_t serve();
  /// Callers of whoever listens there, each on a channel of its own that it gives up now and then.
  void start_callers(uint16_t port, uint64_t seed, size_t count);
  /// When all callers and their channels are gone: how many calls ended with each gRPC status since the
  /// start. Connections may stay: C-core 1.51 never closes one that it was still opening when its channel
  /// went.
  std::map<int, size_t> stop_callers();
  /// One call of whoever listens there, on a channel that is gone afterwards: its gRPC status.
  int call(uint16_t port);

 private:
  std::string ask(const std::string& what);

  pid_t child_ = 0;
  std::FILE* to_ = nullptr;    // a line for each question
  std::FILE* from_ = nullptr;  // a line for each answer
};

}  // namespace breakwire::relay::testing
