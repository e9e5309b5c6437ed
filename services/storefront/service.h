#pragma once
// The shop's front door. Passes orders on; holds nothing.

#include "services/kit/call_policy.h"
#include "services/kit/open_streams.h"
#include "shop/v1/orders.grpc.pb.h"
#include "shop/v1/storefront.grpc.pb.h"

namespace breakwire::storefront {

/// No handler ever blocks, so calls that wait for the orders service cost those that do not nothing.
class Storefront : public shop::v1::StorefrontService::CallbackService {
 public:
  /// `policy` and `streams` outlive this.
  Storefront(kit::CallPolicy& policy, std::shared_ptr<grpc::Channel> orders, kit::OpenStreams& streams)
      : policy_(policy), streams_(streams), orders_(shop::v1::OrdersService::NewStub(std::move(orders))) {}

  grpc::ServerUnaryReactor* PlaceOrder(grpc::CallbackServerContext* context,
                                       const shop::v1::PlaceOrderRequest* request,
                                       shop::v1::PlaceOrderResponse* response) override;
  grpc::ServerUnaryReactor* TrackOrder(grpc::CallbackServerContext* context,
                                       const shop::v1::TrackOrderRequest* request,
                                       shop::v1::TrackOrderResponse* response) override;
  grpc::ServerWriteReactor<shop::v1::WatchOrderResponse>* WatchOrder(
      grpc::CallbackServerContext* context, const shop::v1::WatchOrderRequest* request) override;
  grpc::ServerUnaryReactor* ListSpecials(grpc::CallbackServerContext* context,
                                         const shop::v1::ListSpecialsRequest* request,
                                         shop::v1::ListSpecialsResponse* response) override;

 private:
  kit::CallPolicy& policy_;
  kit::OpenStreams& streams_;
  std::unique_ptr<shop::v1::OrdersService::Stub> orders_;
};

}  // namespace breakwire::storefront
