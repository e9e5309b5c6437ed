#pragma once
// Takes orders: checks them, and has the inventory reserve the goods and store the order.

#include "services/kit/call_policy.h"
#include "shop/v1/inventory.grpc.pb.h"
#include "shop/v1/orders.grpc.pb.h"

namespace breakwire::orders {

/// No handler ever blocks, so calls that wait for the inventory cost those that do not nothing.
class Orders : public shop::v1::OrdersService::CallbackService {
 public:
  /// `policy` outlives this.
  Orders(kit::CallPolicy& policy, std::shared_ptr<grpc::Channel> inventory)
      : policy_(policy), inventory_(shop::v1::InventoryService::NewStub(std::move(inventory))) {}

  grpc::ServerUnaryReactor* CreateOrder(grpc::CallbackServerContext* context,
                                        const shop::v1::CreateOrderRequest* request,
                                        shop::v1::CreateOrderResponse* response) override;
  grpc::ServerUnaryReactor* GetOrder(grpc::CallbackServerContext* context,
                                     const shop::v1::GetOrderRequest* request,
                                     shop::v1::GetOrderResponse* response) override;
  grpc::ServerUnaryReactor* EstimateDelivery(grpc::CallbackServerContext* context,
                                             const shop::v1::EstimateDeliveryRequest* request,
                                             shop::v1::EstimateDeliveryResponse* response) override;

 private:
  kit::CallPolicy& policy_;
  std::unique_ptr<shop::v1::InventoryService::Stub> inventory_;
};

}  // namespace breakwire::orders
