#pragma once
// One order on its way: goods reserved, then money taken, and the goods given back when the money is refused.

#include <grpcpp/grpcpp.h>

#include "services/kit/call_policy.h"
#include "services/orders/dependencies.h"
#include "shop/v1/orders.grpc.pb.h"

namespace breakwire::orders {

/// Answers a CreateOrder that was checked. Every step is idempotent by `order_id`, and so is the whole: two
/// attempts, one after the other or at once, end alike.
///
/// A definite refusal is answered only when nothing is left of the order, and nothing can come of it: one of
/// the inventory or of payments is final for the `order_id` there, also for an attempt that arrives late, and
/// what was reserved is struck out for good in the inventory before the caller hears of it. When that cannot
/// be done, or payments gave no definite answer, the caller is told so by a code that says that the order may
/// or may not stand. All of it happens within the caller's deadline.
void place(kit::CallPolicy& policy, Dependencies& dependencies, grpc::CallbackServerContext& context,
           const shop::v1::CreateOrderRequest& request, shop::v1::CreateOrderResponse& response,
           grpc::ServerUnaryReactor& reactor);

/// Whether a status of the inventory or of payments says that nothing was done for the `order_id` and never
/// will be: both keep the refusals they gave.
bool is_definite_refusal(grpc::StatusCode code);

}  // namespace breakwire::orders
