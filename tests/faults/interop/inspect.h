// Whether the message that a call received last came compressed: C-core knows it and tells its own tests
// only.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <cstdint>

// src/core/lib/surface/call_test_only.h, exported by libgrpc.so.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace grpc::testing {

// The names that gRPC's contexts have as their friends.
class InteropClientContextInspector {
 public:
  static bool came_compressed(const ClientContext& context) { return flags(context.call_) != 0; }

 private:
  friend class InteropServerContextInspector;
  static uint32_t flags(grpc_call* call) {
    // GRPC_WRITE_INTERNAL_TEST_ONLY_WAS_COMPRESSED: the bit that is left when it has been decompressed.
    constexpr uint32_t was_compressed = 0x40000000u;
    return grpc_call_test_only_get_message_flags(call) & was_compressed;
  }
};

class InteropServerContextInspector {
 public:
  static bool came_compressed(const ServerContext& context) {
    return InteropClientContextInspector::flags(context.call_.call) != 0;
  }
};

}  // namespace grpc::testing
