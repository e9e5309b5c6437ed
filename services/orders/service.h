#pragma once
// Takes orders: checks them, has the inventory reserve the goods and payments charge for them.

#include "services/kit/call_policy.h"
#include "services/kit/open_streams.h"
#include "services/orders/dependencies.h"
#include "shop/v1/orders.grpc.pb.h"

namespace breakwire::orders {

/// No handler ever blocks, so calls that wait for a dependency cost those that do not nothing.
class Orders : public shop::v1::OrdersService::CallbackService {
 public:
  /// All outlive this.
  Orders(kit::CallPolicy& policy, Dependencies& dependencies, kit::OpenStreams& streams)
      : policy_(policy), dependencies_(dependencies), streams_(streams) {}

  grpc::ServerUnaryReactor* CreateOrder(grpc::CallbackServerContext* context,
                                        const shop::v1::CreateOrderRequest* request,
                                        shop::v1::CreateOrderResponse* response) override;
  grpc::ServerUnaryReactor* GetOrder(grpc::CallbackServerContext* context,
                                     const shop::v1::GetOrderRequest* request,
                                     shop::v1::GetOrderResponse* response) override;
  grpc::ServerWriteReactor<shop::v1::StreamOrderStatesResponse>* StreamOrderStates(
      grpc::CallbackServerContext* context, const shop::v1::StreamOrderStatesRequest* request) override;
  grpc::ServerUnaryReactor* EstimateDelivery(grpc::CallbackServerContext* context,
                                             const shop::v1::EstimateDeliveryRequest* request,
                                             shop::v1::EstimateDeliveryResponse* response) override;

 private:
  kit::CallPolicy& policy_;
  Dependencies& dependencies_;
  kit::OpenStreams& streams_;
};

}  // namespace breakwire::orders
