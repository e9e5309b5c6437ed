#pragma once
// A stream that tells how far an order has come, until it is settled.

#include <grpcpp/grpcpp.h>

#include <string>

#include "services/kit/call_policy.h"
#include "services/kit/open_streams.h"
#include "services/orders/dependencies.h"
#include "shop/v1/orders.grpc.pb.h"

namespace breakwire::orders {

/// Serves StreamOrderStates: asks inventory and payments every 100 ms, as part of this call, and sends what
/// is new. Ends with OK when the order is settled, with DEADLINE_EXCEEDED or CANCELLED with its caller, with
/// UNAVAILABLE when `streams` ask it to leave, and else with what a dependency failed with. All outlive the
/// stream.
grpc::ServerWriteReactor<shop::v1::StreamOrderStatesResponse>* stream_states(
    kit::CallPolicy& policy, Dependencies& dependencies, kit::OpenStreams& streams,
    grpc::CallbackServerContext& context, std::string order_id);

}  // namespace breakwire::orders
