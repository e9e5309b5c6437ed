// The load of the comparisons: gRPC's C++ client over generic stubs, each connection a channel of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

class Load {
 public:
  /// Connects at once; throws std::runtime_error when a connection is not ready within 10 s.
  Load(uint16_t port, size_t connections);
  ~Load();

  /// So many unary calls of `bytes` there and back, always `in_flight` of them under way, spread evenly over
  /// the connections. Seconds it took. Throws when a call fails.
  double calls(size_t count, size_t in_flight, size_t bytes);
  /// One call after the other on the first connection: how long each took, in seconds.
  std::vector<double> one_by_one(size_t count, size_t bytes);
  /// Server streams of 64 KiB messages, one on each connection, that many messages in all. Seconds it took.
  double stream(size_t messages);

 private:
  struct Connection;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace bench
