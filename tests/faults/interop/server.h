// grpc.testing.TestService by gRPC C++'s synchronous API.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/faults/interop/seen.h"

namespace breakwire::interop {

/// Serves on a free port of loopback as long as it lives; what it saw of each call is in the log when the
/// call is over.
class Server {
 public:
  explicit Server(Log& log);
  ~Server();

  uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace breakwire::interop
