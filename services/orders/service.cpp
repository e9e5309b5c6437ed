#include "services/orders/service.h"

namespace breakwire::orders {

using namespace shop::v1;

namespace {

/// Copies between messages that describe an order in the same words.
template <class From, class To>
void copy_order(const From& from, To& to) {
  to.set_order_id(from.order_id());
  to.set_sku(from.sku());
  to.set_quantity(from.quantity());
  to.set_total_cents(from.total_cents());
}

grpc::Status check(const CreateOrderRequest& request) {
  if (request.order_id().empty() || request.order_id().size() > 128)
    return {grpc::StatusCode::INVALID_ARGUMENT, "order_id must have 1 to 128 bytes"};
  if (request.sku().empty()) return {grpc::StatusCode::INVALID_ARGUMENT, "sku is missing"};
  if (request.quantity() < 1 || request.quantity() > 1000)
    return {grpc::StatusCode::INVALID_ARGUMENT, "quantity must be 1 to 1000"};
  return grpc::Status::OK;
}

}  // namespace

grpc::ServerUnaryReactor* Orders::CreateOrder(grpc::CallbackServerContext* context,
                                              const CreateOrderRequest* request,
                                              CreateOrderResponse* response) {
  auto* reactor = context->DefaultReactor();
  auto admitted = policy_.admit();
  if (admitted.ok()) admitted = check(*request);
  if (!admitted.ok()) {
    reactor->Finish(admitted);
    return reactor;
  }
  auto call = policy_.outgoing<ReserveRequest, ReserveResponse>(*context);
  call->request.set_order_id(request->order_id());
  call->request.set_sku(request->sku());
  call->request.set_quantity(request->quantity());
  inventory_->async()->Reserve(call->context.get(), &call->request, &call->response,
                               [this, call, context, response, reactor](const grpc::Status& status) {
                                 if (status.ok()) copy_order(call->response, *response);
                                 reactor->Finish(policy_.answer(*context, status));
                               });
  return reactor;
}

grpc::ServerUnaryReactor* Orders::GetOrder(grpc::CallbackServerContext* context,
                                           const GetOrderRequest* request, GetOrderResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (auto status = policy_.admit(); !status.ok()) {
    reactor->Finish(status);
    return reactor;
  }
  auto call = policy_.outgoing<GetReservationRequest, GetReservationResponse>(*context);
  call->request.set_order_id(request->order_id());
  inventory_->async()->GetReservation(call->context.get(), &call->request, &call->response,
                                      [this, call, context, response, reactor](const grpc::Status& status) {
                                        if (status.ok()) copy_order(call->response, *response);
                                        reactor->Finish(policy_.answer(*context, status));
                                      });
  return reactor;
}

grpc::ServerUnaryReactor* Orders::EstimateDelivery(grpc::CallbackServerContext* context,
                                                   const EstimateDeliveryRequest* request,
                                                   EstimateDeliveryResponse* response) {
  auto* reactor = context->DefaultReactor();
  auto status = policy_.admit();
  if (status.ok() && (request->quantity() < 1 || request->quantity() > 1000))
    status = {grpc::StatusCode::INVALID_ARGUMENT, "quantity must be 1 to 1000"};
  if (status.ok()) response->set_days(request->quantity() > 100 ? 3 : 1);  // more than fits on the bicycle
  reactor->Finish(status);
  return reactor;
}

}  // namespace breakwire::orders
