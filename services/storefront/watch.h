#pragma once
// A shopper's watch over an order: what the orders service tells, passed on.

#include <grpcpp/grpcpp.h>

#include <string>

#include "services/kit/call_policy.h"
#include "services/kit/open_streams.h"
#include "shop/v1/orders.grpc.pb.h"
#include "shop/v1/storefront.grpc.pb.h"

namespace breakwire::storefront {

/// Serves WatchOrder, one message at a time: what the shopper does not take is not asked for. Ends as the
/// orders service ends it, or with UNAVAILABLE when `streams` ask it to leave. All outlive the stream.
grpc::ServerWriteReactor<shop::v1::WatchOrderResponse>* watch_order(kit::CallPolicy& policy,
                                                                    shop::v1::OrdersService::Stub& orders,
                                                                    kit::OpenStreams& streams,
                                                                    grpc::CallbackServerContext& context,
                                                                    const std::string& order_id);

}  // namespace breakwire::storefront
