#include "services/storefront/service.h"

#include "services/kit/refused_stream.h"
#include "services/storefront/watch.h"

namespace breakwire::storefront {

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

}  // namespace

grpc::ServerUnaryReactor* Storefront::PlaceOrder(grpc::CallbackServerContext* context,
                                                 const PlaceOrderRequest* request,
                                                 PlaceOrderResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (auto status = policy_.admit(); !status.ok()) {
    reactor->Finish(status);
    return reactor;
  }
  auto call = policy_.outgoing<CreateOrderRequest, CreateOrderResponse>(*context);
  call->request.set_order_id(request->order_id());
  call->request.set_sku(request->sku());
  call->request.set_quantity(request->quantity());
  call->request.set_account(request->account());
  orders_->async()->CreateOrder(call->context.get(), &call->request, &call->response,
                                [this, call, context, response, reactor](const grpc::Status& status) {
                                  if (status.ok()) copy_order(call->response, *response);
                                  reactor->Finish(policy_.answer(*context, status));
                                });
  return reactor;
}

grpc::ServerUnaryReactor* Storefront::TrackOrder(grpc::CallbackServerContext* context,
                                                 const TrackOrderRequest* request,
                                                 TrackOrderResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (auto status = policy_.admit(); !status.ok()) {
    reactor->Finish(status);
    return reactor;
  }
  auto call = policy_.outgoing<GetOrderRequest, GetOrderResponse>(*context);
  call->request.set_order_id(request->order_id());
  orders_->async()->GetOrder(call->context.get(), &call->request, &call->response,
                             [this, call, context, response, reactor](const grpc::Status& status) {
                               if (status.ok()) copy_order(call->response, *response);
                               reactor->Finish(policy_.answer(*context, status));
                             });
  return reactor;
}

grpc::ServerWriteReactor<WatchOrderResponse>* Storefront::WatchOrder(grpc::CallbackServerContext* context,
                                                                     const WatchOrderRequest* request) {
  if (auto status = policy_.admit(); !status.ok()) return kit::refused_stream<WatchOrderResponse>(status);
  return watch_order(policy_, *orders_, streams_, *context, request->order_id());
}

grpc::ServerUnaryReactor* Storefront::ListSpecials(grpc::CallbackServerContext* context,
                                                   const ListSpecialsRequest*,
                                                   ListSpecialsResponse* response) {
  auto* reactor = context->DefaultReactor();
  auto status = policy_.admit();
  if (status.ok()) {
    auto* cherry = response->add_specials();
    cherry->set_sku("cherry");
    cherry->set_price_cents(5);
    auto* apple = response->add_specials();
    apple->set_sku("apple");
    apple->set_price_cents(25);
  }
  reactor->Finish(status);
  return reactor;
}

}  // namespace breakwire::storefront
