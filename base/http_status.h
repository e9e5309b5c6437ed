// What an HTTP status means to a gRPC client when no grpc-status came with it. Pure.
#pragma once

#include "base/status_code.h"

namespace breakwire {

/// grpc/grpc doc/http-grpc-status-mapping.md; only where there is no grpc-status.
StatusCode status_of_http(int http_status);

}  // namespace breakwire
