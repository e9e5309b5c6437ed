#include "services/storefront/watch.h"

#include <atomic>

namespace breakwire::storefront {

using namespace shop::v1;

namespace {

using Call = kit::OutgoingCall<StreamOrderStatesRequest, StreamOrderStatesResponse>;

/// Reads a message, writes it, reads the next. Finished only when the stream it reads is over, which comes
/// with the shopper's cancellation or deadline too; so the context is there until then.
class Watch : public grpc::ServerWriteReactor<WatchOrderResponse>, public kit::OpenStream {
 public:
  Watch(kit::CallPolicy& policy, kit::OpenStreams& streams, grpc::CallbackServerContext& context,
        std::shared_ptr<Call> call)
      : policy_(policy), streams_(streams), context_(context), call_(std::move(call)), source_(*this) {}

  void begin(OrdersService::Stub& orders) {
    orders.async()->StreamOrderStates(call_->context.get(), &call_->request, &source_);
    source_.AddHold();  // between a message and the next read nothing else holds it
    source_.StartRead(&call_->response);
    source_.StartCall();
  }

  void OnWriteDone(bool) override { source_.StartRead(&call_->response); }

  void leave() override {
    leaving_ = true;
    call_->context->TryCancel();
  }

  void OnDone() override { streams_.remove(*this); }

 private:
  /// The orders service's side of it.
  class Source : public grpc::ClientReadReactor<StreamOrderStatesResponse> {
   public:
    explicit Source(Watch& watch) : watch_(watch) {}
    void OnReadDone(bool ok) override { ok ? watch_.pass_on() : RemoveHold(); }
    void OnDone(const grpc::Status& status) override { watch_.source_ended(status); }

   private:
    Watch& watch_;
  };

  void pass_on() {
    message_.set_order_id(call_->response.order_id());
    message_.set_state(call_->response.state());
    StartWrite(&message_);
  }

  void source_ended(const grpc::Status& status) {
    if (leaving_) return Finish({grpc::StatusCode::UNAVAILABLE, "this process is about to go, ask again"});
    Finish(policy_.answer(context_, status));
  }

  kit::CallPolicy& policy_;
  kit::OpenStreams& streams_;
  grpc::CallbackServerContext& context_;
  const std::shared_ptr<Call> call_;
  Source source_;
  WatchOrderResponse message_;
  std::atomic<bool> leaving_{false};
};

}  // namespace

grpc::ServerWriteReactor<WatchOrderResponse>* watch_order(kit::CallPolicy& policy,
                                                          OrdersService::Stub& orders,
                                                          kit::OpenStreams& streams,
                                                          grpc::CallbackServerContext& context,
                                                          const std::string& order_id) {
  auto call = policy.outgoing<StreamOrderStatesRequest, StreamOrderStatesResponse>(context);
  call->request.set_order_id(order_id);
  auto watch = std::make_shared<Watch>(policy, streams, context, std::move(call));
  watch->begin(orders);
  streams.add(watch);
  return watch.get();
}

}  // namespace breakwire::storefront
