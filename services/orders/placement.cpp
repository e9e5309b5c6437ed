#include "services/orders/placement.h"

namespace breakwire::orders {

using namespace shop::v1;

namespace {

constexpr const char* guest = "guest";  // of services/schema.sql

/// Kept alive by the callback of the step that is under way. The reactor is finished by exactly one of the
/// steps, so the call's context, request and response are there until then.
class Placement : public std::enable_shared_from_this<Placement> {
 public:
  Placement(kit::CallPolicy& policy, Dependencies& dependencies, grpc::CallbackServerContext& context,
            const CreateOrderRequest& request, CreateOrderResponse& response,
            grpc::ServerUnaryReactor& reactor)
      : policy_(policy),
        dependencies_(dependencies),
        context_(context),
        request_(request),
        response_(response),
        reactor_(reactor),
        account_(request.account().empty() ? guest : request.account()) {}

  void reserve() {
    auto call = policy_.outgoing<ReserveRequest, ReserveResponse>(context_);
    call->request.set_order_id(request_.order_id());
    call->request.set_sku(request_.sku());
    call->request.set_quantity(request_.quantity());
    call->request.set_account(account_);
    dependencies_.inventory->async()->Reserve(call->context.get(), &call->request, &call->response,
                                              [self = shared_from_this(), call](const grpc::Status& status) {
                                                if (!status.ok()) return self->finish(status);
                                                const auto& reserved = call->response;
                                                self->response_.set_order_id(reserved.order_id());
                                                self->response_.set_sku(reserved.sku());
                                                self->response_.set_quantity(reserved.quantity());
                                                self->response_.set_total_cents(reserved.total_cents());
                                                self->charge();
                                              });
  }

 private:
  void charge() {
    auto call = policy_.outgoing<ChargeRequest, ChargeResponse>(context_);
    call->request.set_order_id(request_.order_id());
    call->request.set_account(account_);
    call->request.set_amount_cents(response_.total_cents());
    dependencies_.payments->async()->Charge(call->context.get(), &call->request, &call->response,
                                            [self = shared_from_this(), call](const grpc::Status& status) {
                                              is_definite_refusal(status.error_code()) ? self->release(status)
                                                                                       : self->finish(status);
                                            });
  }

  void release(const grpc::Status& refusal) {
    auto call = policy_.outgoing<ReleaseRequest, ReleaseResponse>(context_);
    call->request.set_order_id(request_.order_id());
    call->request.set_reason(refusal.error_message().substr(0, 1000));
    dependencies_.inventory->async()->Release(
        call->context.get(), &call->request, &call->response,
        [self = shared_from_this(), call, refusal](const grpc::Status& status) {
          if (status.ok()) return self->finish(refusal);
          if (!is_definite_refusal(status.error_code())) return self->finish(status);
          self->finish(
              {grpc::StatusCode::INTERNAL, "a refused order cannot be released: " + status.error_message()});
        });
  }

  void finish(const grpc::Status& status) { reactor_.Finish(policy_.answer(context_, status)); }

  kit::CallPolicy& policy_;
  Dependencies& dependencies_;
  grpc::CallbackServerContext& context_;
  const CreateOrderRequest& request_;
  CreateOrderResponse& response_;
  grpc::ServerUnaryReactor& reactor_;
  const std::string account_;
};

}  // namespace

bool is_definite_refusal(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAUTHENTICATED:
      return true;
    default:
      return false;  // it may have been carried out, or may still be
  }
}

void place(kit::CallPolicy& policy, Dependencies& dependencies, grpc::CallbackServerContext& context,
           const CreateOrderRequest& request, CreateOrderResponse& response,
           grpc::ServerUnaryReactor& reactor) {
  std::make_shared<Placement>(policy, dependencies, context, request, response, reactor)->reserve();
}

}  // namespace breakwire::orders
