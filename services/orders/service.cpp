#include "services/orders/service.h"

#include "services/kit/refused_stream.h"
#include "services/orders/placement.h"
#include "services/orders/state_stream.h"

namespace breakwire::orders {

using namespace shop::v1;

namespace {

grpc::Status check_order_id(const std::string& order_id) {
  if (order_id.empty() || order_id.size() > 128)
    return {grpc::StatusCode::INVALID_ARGUMENT, "order_id must have 1 to 128 bytes"};
  return grpc::Status::OK;
}

grpc::Status check(const CreateOrderRequest& request) {
  if (auto status = check_order_id(request.order_id()); !status.ok()) return status;
  if (request.sku().empty()) return {grpc::StatusCode::INVALID_ARGUMENT, "sku is missing"};
  if (request.quantity() < 1 || request.quantity() > 1000)
    return {grpc::StatusCode::INVALID_ARGUMENT, "quantity must be 1 to 1000"};
  if (request.account().size() > 128)
    return {grpc::StatusCode::INVALID_ARGUMENT, "account must have at most 128 bytes"};
  return grpc::Status::OK;
}

}  // namespace

grpc::ServerUnaryReactor* Orders::CreateOrder(grpc::CallbackServerContext* context,
                                              const CreateOrderRequest* request,
                                              CreateOrderResponse* response) {
  auto* reactor = context->DefaultReactor();
  auto admitted = policy_.admit();
  if (admitted.ok()) admitted = check(*request);
  if (admitted.ok()) {
    place(policy_, dependencies_, *context, *request, *response, *reactor);
  } else {
    reactor->Finish(admitted);
  }
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
  dependencies_.inventory->async()->GetReservation(
      call->context.get(), &call->request, &call->response,
      [this, call, context, response, reactor](const grpc::Status& status) {
        if (status.ok()) {
          response->set_order_id(call->response.order_id());
          response->set_sku(call->response.sku());
          response->set_quantity(call->response.quantity());
          response->set_total_cents(call->response.total_cents());
        }
        reactor->Finish(policy_.answer(*context, status));
      });
  return reactor;
}

grpc::ServerWriteReactor<StreamOrderStatesResponse>* Orders::StreamOrderStates(
    grpc::CallbackServerContext* context, const StreamOrderStatesRequest* request) {
  auto status = policy_.admit();
  if (status.ok()) status = check_order_id(request->order_id());
  if (!status.ok()) return kit::refused_stream<StreamOrderStatesResponse>(status);
  return stream_states(policy_, dependencies_, streams_, *context, request->order_id());
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
